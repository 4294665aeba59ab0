"""Random ids of 128 bits, made from the system's generator in blocks: one system call for many ids."""

from __future__ import annotations

import os
from typing import Final

from tallow.monitoring.lifecycle import fork

IDS_AT_ONCE: Final = 64
_BYTES: Final = 16
_DIGITS: Final = 2 * _BYTES


class RandomIds:
    """Ids that nobody has got yet. Forked processes have different ones.

    Example:
        >>> ids = RandomIds()
        >>> len(ids.next()), ids.next() == ids.next()
        (32, False)
    """

    def __init__(self) -> None:
        self._waiting: list[str] = []
        fork.register(self)

    def next(self) -> str:
        """Return a new id as 32 hexadecimal digits. It may be called from any thread."""
        try:
            return self._waiting.pop()
        except IndexError:
            digits = os.urandom(_BYTES * IDS_AT_ONCE).hex()
            first, *others = (digits[at : at + _DIGITS] for at in range(0, len(digits), _DIGITS))
            self._waiting += others
            return first

    def after_fork(self) -> None:
        """Forget the ids in a forked child: its parent will give them out."""
        self._waiting.clear()
