"""Why a scrubber replaces what it replaces: the rule, the kind and the position, never the value."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from tallow.monitoring.privacy.engine import Scrubber
from tallow.monitoring.privacy.model import Key
from tallow.monitoring.privacy.walk import Walk


@dataclass(frozen=True)
class Replacement:
    """One replacement.

    Attributes:
        rule: id of the rule, the syntax or the key row that did it.
        kind: what stands there now: ``[kind]``.
        path: keys and indices that lead to the text or the value, empty for a text by itself.
        start: offset of its first character in that text; 0 if a whole value was replaced.
        end: offset behind its last character; 0 if a whole value was replaced.

    Example:
        >>> Replacement(rule="password", kind="secret", path=("login", "password")).kind
        'secret'
    """

    rule: str
    kind: str
    path: tuple[str | int, ...] = ()
    start: int = 0
    end: int = 0


def explain(scrubber: Scrubber, value: Any) -> list[Replacement]:
    """The replacements that ``scrubber`` would make in ``value``, in the order of the text or the record."""
    found: list[Replacement] = []
    walk = _Explaining(found)
    walk.follow(copy.copy(scrubber))
    try:
        walk.value(value, None)
    except Exception:  # noqa: BLE001 - a caller's own type failed: return what was found before
        return found
    return found


class _Explaining(Walk):
    """A walk that tracks the path to the current value."""

    __slots__ = ("_found", "_path")

    def __init__(self, found: list[Replacement]) -> None:
        self._found = found
        self._path: list[Any] = []

    def follow(self, scrubber: Scrubber) -> None:
        """Use a scrubber that reports its replacements and counts nothing."""
        scrubber.listen(self._note)
        super().__init__(scrubber)

    def value(self, value: Any, key: Key | None, step: object = None) -> Any:
        """As :class:`Walk`; ``step`` is on the path while the value is read."""
        if step is None:
            return super().value(value, key)
        self._path.append(step)
        try:
            return super().value(value, key)
        finally:
            self._path.pop()

    def _note(self, rule: str, kind: str, start: int, end: int) -> None:
        self._found.append(Replacement(rule, kind, tuple(self._path), start, end))
