"""Errors of tasks that aiortc starts for itself and does not wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

PACKAGES: Final = ("aiortc", "aioice")

_Handler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


class _BackgroundErrorFilter:
    """An event loop's exception handler that passes other errors on to the one before it."""

    def __init__(self, before: _Handler | None) -> None:
        self._before = before

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if _is_lost_connection(context.get("exception")):
            return
        if self._before is None:
            loop.default_exception_handler(context)
        else:
            self._before(loop, context)


def ignore_background_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Keep asyncio from printing a traceback when a task of aiortc finds its connection closed.

    A connection that is closed while it is being opened leaves such tasks behind. The channel reports the
    failure itself.
    """
    before = loop.get_exception_handler()
    if not isinstance(before, _BackgroundErrorFilter):
        loop.set_exception_handler(_BackgroundErrorFilter(before))


def _is_lost_connection(error: object) -> bool:
    """Whether a task of aiortc ended with a connection error: its coroutine is the outermost frame."""
    if not isinstance(error, ConnectionError) or error.__traceback__ is None:
        return False
    package = str(error.__traceback__.tb_frame.f_globals.get("__name__")).partition(".")[0]
    return package in PACKAGES
