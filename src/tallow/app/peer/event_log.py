"""What a side logs of its transfer: the server's story from here, under the same correlation id.

No name, link, address or text of an error: classes and numbers alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from tallow.app.peer.errors import PeerError, error_labels
from tallow.app.peer.transfer.progress import EventHandler
from tallow.monitoring.logging import BadSettingError, configure, disable, transfer_logger

_LOGGED: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "waiting": ("info", "Waiting for the other side", ()),
    "confirming": ("info", "Waiting for confirmation", ("seconds",)),
    "connected": ("info", "Connected", ("method", "path")),
    "interrupted": ("warning", "Interrupted", ("retry_in",)),
}
"""Events that are logged: level, message, and the details that go along."""


class TransferEventLog:
    """Passes events on to ``events``, and logs those that tell how a transfer goes.

    Args:
        role: sender or receiver.
        events: who shows them.
        correlation_id: the room's, once the seat is taken.
    """

    def __init__(self, role: str, events: EventHandler, correlation_id: Callable[[], str]) -> None:
        self._log = transfer_logger.bind(role=role)
        self._events = events
        self._correlation_id = correlation_id

    def __call__(self, event: str, /, **details: Any) -> None:
        """Log, and pass on."""
        if event in _LOGGED:
            level, message, names = _LOGGED[event]
            self._write(level, message, {name: details.get(name) for name in names})
        self._events(event, **details)

    def finished(self, outcome: str, error: BaseException | None, seconds: float) -> None:
        """The side has ended with an outcome."""
        facts: dict[str, Any] = {"outcome": outcome, "seconds": round(seconds, 3)}
        if outcome == "failed" and error is not None:
            facts |= {"error_type": error_labels(error)[0], "error": type(error).__name__}
        self._write("warning" if outcome == "failed" else "info", "Transfer finished", facts)

    def _write(self, level: str, message: str, facts: Mapping[str, Any]) -> None:
        known = {name: value for name, value in facts.items() if value is not None}
        self._log.log(level, message, correlation_id=self._correlation_id(), **known)


def configure_logging() -> None:
    """Log where the environment says (``LOG_FILE``, ``LOG_ENDPOINT``), never to standard output: that belongs
    to the transfer.

    Raises:
        PeerError: one line about a setting that cannot be used.
    """
    if not (os.environ.get("LOG_FILE") or os.environ.get("LOG_ENDPOINT")):
        disable()
        return
    try:
        configure(console=False)
    except BadSettingError as error:
        raise PeerError(str(error), "validation") from None
