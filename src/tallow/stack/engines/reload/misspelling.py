"""Detect misspelled variables: names that are one edit away from the name of a setting."""

from __future__ import annotations

from collections.abc import Collection


def closest_name(name: str, known: Collection[str]) -> str | None:
    """The known name that is one edit away; None if ``name`` is known itself, or if there is none.

    An edit adds, removes or changes one character, or swaps two neighbours (Damerau-Levenshtein distance 1).
    Case does not matter.

    Args:
        name: a variable as it was written.
        known: names of settings, in upper case.

    Example:
        >>> meant("SMTP_PASWORD", ["SMTP_PASSWORD"])
        'SMTP_PASSWORD'
    """
    upper = name.upper()
    if upper in known:
        return None
    return next((other for other in sorted(known) if _one_edit(upper, other)), None)


def _one_edit(first: str, second: str) -> bool:
    if abs(len(first) - len(second)) > 1:
        return False
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    one, other = first[start:], second[start:]
    return (
        one[1:] == other[1:]  # a changed character, or one more at the end
        or one[1:] == other
        or one == other[1:]
        or (one[:2] == other[1::-1] and one[2:] == other[2:])
    )
