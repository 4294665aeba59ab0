"""The log of a transfer at a peer, under the same correlation id as the server's.

Entries hold classes and numbers only: no name, link, address or error text.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from tallow import __version__
from tallow.app.peer.errors import PeerError, error_labels
from tallow.app.peer.events import EventHandler
from tallow.monitoring.logging import BadSettingError, configure, disable, transfer_logger
from tallow.monitoring.settings import process_options

_LOGGED: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "waiting": ("info", "Waiting for the other side", ()),
    "confirming": ("info", "Waiting for confirmation", ("seconds",)),
    "connected": ("info", "Connected", ("method", "path")),
    "interrupted": ("warning", "Interrupted", ("retry_in",)),
}
"""Logged events: level, message, and details to log."""


class TransferEventLog:
    """Logs the main events of a transfer and passes all events on.

    Args:
        role: sender or receiver.
        events: gets all events.
        correlation_id: returns the room's id, once joined.
    """

    def __init__(self, role: str, events: EventHandler, correlation_id: Callable[[], str]) -> None:
        self._role = role  # not bound: that would load the scrubber and its settings, also without a log
        self._events = events
        self._correlation_id = correlation_id

    def __call__(self, event: str, /, **details: Any) -> None:
        """Log an event and pass it on."""
        if event in _LOGGED:
            level, message, names = _LOGGED[event]
            self._write(level, message, {name: details.get(name) for name in names})
        self._events(event, **details)

    def finished(self, outcome: str, error: BaseException | None, seconds: float) -> None:
        """Log the end of a transfer."""
        facts: dict[str, Any] = {"outcome": outcome, "seconds": round(seconds, 3)}
        if outcome == "failed" and error is not None:
            facts |= {"error_type": error_labels(error)[0], "error": type(error).__name__}
        self._write("warning" if outcome == "failed" else "info", "Transfer finished", facts)

    def _write(self, level: str, message: str, facts: Mapping[str, Any]) -> None:
        known = {name: value for name, value in facts.items() if value is not None}
        transfer_logger.log(level, message, role=self._role, correlation_id=self._correlation_id(), **known)


def configure_logging() -> None:
    """Log to ``LOG_FILE`` or ``LOG_ENDPOINT`` if set. Standard output is reserved for the transfer.

    Raises:
        PeerError: one line about an invalid setting.
    """
    chosen = (
        os.environ.get("TALLOW_LOG_FILE"),
        os.environ.get("TALLOW_LOG_ENDPOINT"),
        os.environ.get("LOG_FILE"),
        os.environ.get("LOG_ENDPOINT"),
    )
    if not any(chosen):
        disable()
        return
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings  # loads pydantic

    try:
        process_options.set_program("tallow", __version__)
        configure(MonitoringSettings.load(), console=False)
    except BadSettingError as error:
        raise PeerError(str(error), "validation") from None
