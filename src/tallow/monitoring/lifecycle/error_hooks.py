"""Who is told of requests and of exceptions nobody handled, without anybody being loaded for it."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Protocol


class Listener(Protocol):
    """An error tracker."""

    def request(self) -> None:
        """A request or a connection begins in the current context, its correlation id bound."""

    def on_error(self, error: Exception) -> None:
        """The application raised."""


_listeners: Final[list[Listener]] = []


def listen(listener: Listener) -> None:
    """Tell ``listener`` from now on."""
    if listener not in _listeners:
        _listeners.append(listener)


def forget(listener: Listener) -> None:
    """Tell ``listener`` no longer."""
    with suppress(ValueError):
        _listeners.remove(listener)


def request() -> None:
    """Tell all of a request; what goes wrong in them stays there."""
    for listener in _listeners:
        with suppress(Exception):
            listener.request()


def failed(error: Exception) -> None:
    """Tell all of an exception; what goes wrong in them stays there."""
    for listener in _listeners:
        with suppress(Exception):
            listener.on_error(error)
