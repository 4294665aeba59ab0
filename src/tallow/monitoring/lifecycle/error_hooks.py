"""Listeners for requests and unhandled exceptions, so that nothing has to import an error tracker."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol


class ErrorListener(Protocol):
    """An error tracker or a logger of unhandled exceptions.

    It may also have a method ``on_request()``: a request or connection begins in the current context, and its
    correlation id is bound.
    """

    def on_error(self, error: Exception) -> None:
        """The application raised ``error`` and did not handle it."""


_listeners: Final[list[ErrorListener]] = []
request_listeners: Final[list[Callable[[], object]]] = []
"""The methods ``on_request`` of the listeners. Without one, :func:`notify_request` need not be called."""


def add_listener(listener: ErrorListener) -> None:
    """Notify ``listener`` from now on. Adding it twice has no effect."""
    if listener not in _listeners:
        _listeners.append(listener)
        _find_request_listeners()


def remove_listener(listener: ErrorListener) -> None:
    """Stop notifying ``listener``. A listener that was not added is ignored."""
    with suppress(ValueError):
        _listeners.remove(listener)
        _find_request_listeners()


def _find_request_listeners() -> None:
    methods = (getattr(listener, "on_request", None) for listener in _listeners)
    request_listeners[:] = [method for method in methods if method is not None]


def notify_request() -> None:
    """Notify all listeners of a request; their exceptions are ignored."""
    for notify in request_listeners:
        with suppress(Exception):
            notify()


def notify_error(error: Exception) -> None:
    """Notify all listeners of an exception; their own exceptions are ignored."""
    for listener in _listeners:
        with suppress(Exception):
            listener.on_error(error)
