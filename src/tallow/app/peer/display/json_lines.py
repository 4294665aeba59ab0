"""Shows the events of a transfer as JSON, for scripts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

import orjson

from tallow.app.peer.display.background_writer import (
    LIMIT,
    BackgroundWriter,
    LineWriter,
    end_output,
    same_output,
)

DROPPABLE: Final = frozenset({"progress", "file"})
"""Events that are dropped while the reader does not keep up. The others are few."""


class JsonLines:
    """One JSON object per line on standard output; docs/peers.md lists the events.

    Never blocks: see :class:`BackgroundWriter`. The event ``dropped`` stands where events are missing.

    Args:
        limit: bytes that may wait for the reader.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._lines = LineWriter(sys.stdout, _dropped, limit)
        self._errors = self._lines.output if same_output() else BackgroundWriter(sys.stderr)

    def __call__(self, event: str, /, **details: Any) -> None:
        self._lines.write(encode_event(event, details), droppable=event in DROPPABLE)

    def ask(self, question: str) -> None:
        """Show a question, or the end of its line, on standard error."""
        self._errors.write(question.encode(errors="replace"))

    def show_end(self, text: str, *, failed: bool) -> None:
        """Does nothing: the last event says how the transfer ended."""

    def wait_until_read(self) -> bool:
        """Wait until the reader has everything: True; False if it has gone. Blocks without a limit."""
        return self._lines.output.flush()

    def end(self, limit: float | None = None) -> bool:
        """Wait for the reader as :func:`end_output` does. Returns whether standard output has failed."""
        return end_output(self._lines.output, self._errors, limit)


def encode_event(event: str, details: Mapping[str, Any]) -> bytes:
    """An event as one line of JSON, without its end."""
    return orjson.dumps({"event": event, **details})


def _dropped(events: int) -> bytes:
    return encode_event("dropped", {"events": events})
