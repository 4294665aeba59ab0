"""Listeners for requests and unhandled exceptions, so that nothing has to import an error tracker."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Protocol


class ErrorListener(Protocol):
    """An error tracker or a logger of unhandled exceptions."""

    def on_request(self) -> None:
        """A request or connection begins in the current context; its correlation id is bound."""

    def on_error(self, error: Exception) -> None:
        """The application raised ``error`` and did not handle it."""


_listeners: Final[list[ErrorListener]] = []


def add_listener(listener: ErrorListener) -> None:
    """Notify ``listener`` from now on. Adding it twice has no effect."""
    if listener not in _listeners:
        _listeners.append(listener)


def remove_listener(listener: ErrorListener) -> None:
    """Stop notifying ``listener``. A listener that was not added is ignored."""
    with suppress(ValueError):
        _listeners.remove(listener)


def notify_request() -> None:
    """Notify all listeners of a request; their exceptions are ignored."""
    for listener in _listeners:
        try:  # noqa: SIM105 - suppress() costs every request an object
            listener.on_request()
        except Exception:  # noqa: BLE001, S110 - telemetry never harms its host
            pass


def notify_error(error: Exception) -> None:
    """Notify all listeners of an exception; their own exceptions are ignored."""
    for listener in _listeners:
        with suppress(Exception):
            listener.on_error(error)
