"""How the known names of keys end: a quick check whether a word can be one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import AnyStr, Final, Generic

LONGEST_ENDING: Final = 6
_MIDDLE: Final = 4
_SHORT: Final = 3
_SEPARATORS: Final = ("", "_", "-", ".", " ", "__", "--", "..", "$")


class NameEndings(Generic[AnyStr]):
    """Endings, grouped by length. Every known name has one of them; other words may have one, too.

    Args:
        endings: in lower case.

    Example:
        >>> endings = NameEndings(["ssword", "pw"])
        >>> endings.match_any(["old_db_pw"]), endings.match_any(["note"])
        (True, False)
    """

    def __init__(self, endings: Iterable[AnyStr]) -> None:
        grouped: dict[int, set[AnyStr]] = {}
        for ending in endings:
            grouped.setdefault(len(ending), set()).add(ending)
        self.by_length: tuple[tuple[int, frozenset[AnyStr]], ...] = tuple(
            (length, frozenset(grouped[length])) for length in sorted(grouped)
        )

    def match(self, word: AnyStr) -> bool:
        """Whether a word ends like a known name."""
        return any(word[-length:] in known for length, known in self.by_length)

    def match_any(self, words: Sequence[AnyStr]) -> bool:
        """Whether one of several words does."""
        return any(
            not known.isdisjoint([word[-length:] for word in words]) for length, known in self.by_length
        )


def endings_of(parts: Sequence[str]) -> set[str]:
    """The endings of a name that consists of these words.

    The last letters of its last word: six, four or three. A last word of one or two letters would match too
    many words: if other words stand before it, the ending includes what may stand between them.

    Example:
        >>> endings_of(["db", "password"])
        {'ssword'}
        >>> "n_id" in endings_of(["session", "id"])
        True
    """
    last = parts[-1]
    for length in (LONGEST_ENDING, _MIDDLE, _SHORT):
        if len(last) >= length:
            return {last[-length:]}
    if len(parts) == 1:
        return {last}
    return {separator.join(parts)[-_MIDDLE:] for separator in _SEPARATORS}
