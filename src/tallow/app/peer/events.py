"""The interface through which a transfer reports its events."""

from __future__ import annotations

from typing import Any, Protocol


class EventHandler(Protocol):
    """Is called with each event of a transfer: a display, a log or a test. docs/peers.md lists the events."""

    def __call__(self, event: str, /, **details: Any) -> None: ...
