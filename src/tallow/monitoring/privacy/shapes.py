"""Texts that a log says again and again in other numbers: their shape is remembered, never a text.

A shape is a text with every digit as ``0``: ``/rooms/4711/status`` and ``/rooms/0815/status`` have the same.
A text that was found to hold nothing private vouches for its shape, if it is short and of few digits: what is
private for its digits' sake (a card, an address, a phone number) has more of them or more marks between them.
Nor may it hold escapes, whose digits stand for any character: ``ann%20host.example``, ``ann%40host.example``.
That is not taken on trust. A shape met for the second time is filled with other digits several times over,
and each is read by all rules; only a shape with nothing private in any of them is harmless from then on.

What is kept of a shape is its hash of 64 bits, keyed anew by each process (SipHash, PEP 456).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

LONGEST: Final = 64
"""Characters of the longest text whose shape is remembered."""
MOST_DIGITS: Final = 6
"""A phone number has seven at least (E.164); an address of version 4 may have four, with three dots."""
REMEMBERED: Final = 4_096
"""Shapes, of either set; a set that is full begins anew."""

DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_DOTS: Final = 2
_ESCAPED: Final = re.compile(rb"[%\\&\x1b]|=00[A-Za-z]|=0D")
"""What a text that :mod:`views` looks through has, its digits as ``0``."""
_FILLINGS: Final = ("000000", "111111", "999999", "123456", "202412", "867530", "407193")
_HEX: Final = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_IDS: Final = {b"0" * 32, b"0" * 40, b"-".join(b"0" * size for size in (8, 4, 4, 4, 12))}
ID_SIZES: Final = frozenset(map(len, _IDS))
"""Characters of what :func:`is_id` knows."""


def is_word(text: str) -> bool:
    """Whether a text of less than 15 characters is a word, also a hyphenated one, or a small number.

    No private value that is told by its look is as short and as plain. An option, ``-pSecret``, is none.
    """
    if text.isalnum():
        return len(text) < 13
    return not text or (text[0] != "-" and text.replace("-", "").isalpha())


def is_id(text: str) -> bool:
    """Whether a text, ASCII, is an identifier by its look: a UUID, or 32 or 40 hexadecimal digits."""
    return text.encode().translate(_HEX) in _IDS


class Shapes:
    """Remembers which shapes are harmless.

    Args:
        is_harmless: asks all rules about one text.

    Attributes:
        harmless: hashes of shapes in which nothing is private, whatever their digits.
    """

    __slots__ = ("_is_harmless", "_met", "harmless")

    def __init__(self, is_harmless: Callable[[str], bool]) -> None:
        self._is_harmless = is_harmless
        self._met: set[int] = set()
        self.harmless: set[int] = set()

    def vouch(self, shape: int, octets: bytes) -> None:
        """All rules have found nothing in a text of this shape: its hash, and itself."""
        if shape not in self._met:
            _add(self._met, shape)
        elif _may_vouch(octets) and self._holds(octets):
            _add(self.harmless, shape)

    def _holds(self, octets: bytes) -> bool:
        """Whether other texts of a shape are harmless too."""
        return b"0" not in octets or all(map(self._is_harmless, _fillings(octets.decode())))


def _may_vouch(octets: bytes) -> bool:
    few = octets.count(b"0") <= MOST_DIGITS and octets.count(b".") <= _DOTS
    return few and _ESCAPED.search(octets) is None


def _fillings(shape: str) -> set[str]:
    """The shape with other digits."""
    return {
        "".join([next(digits) if char == "0" else char for char in shape]) for digits in map(iter, _FILLINGS)
    }


def _add(shapes: set[int], shape: int) -> None:
    if len(shapes) >= REMEMBERED:
        shapes.clear()
    shapes.add(shape)
