"""What those who look into a value ask of their scrubber."""

from __future__ import annotations

from typing import Protocol

from tallow.monitoring.privacy.keys import Key


class Reader(Protocol):
    """What a walk asks of its scrubber.

    Attributes:
        harmless: names of keys read before: nothing private in them nor, for all they say, under them.
    """

    harmless: set[str]

    def key(self, name: str) -> Key | None:
        """What a key of this name holds."""

    def name(self, name: str) -> str:
        """A key that holds nothing private, without what is private in its own name."""

    def named(self, kind: str, private: str) -> str:
        """The replacement of a private value, counted."""

    def read(self, text: str, *, versioned: bool = False) -> str:
        """The text, its private spans replaced."""
