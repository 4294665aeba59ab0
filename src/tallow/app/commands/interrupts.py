"""SIGINT, SIGTERM and SIGHUP: each cancels a command, at every stage."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalledError(Exception):
    """The command was ended by a signal, after a clean end."""


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt for each of the signals, as Python does for SIGINT.

    For the time before the event loop: a prompt must restore the terminal's echo.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {wanted: signal.getsignal(wanted) for wanted in handled_signals()}
    try:
        for wanted in before:
            signal.signal(wanted, _interrupt)
        yield
    finally:
        for wanted, handler in before.items():
            signal.signal(wanted, handler)


async def run_until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work``; the first signal cancels it. Further signals are ignored: the end takes at most two
    seconds.

    Raises:
        SignalledError: it was cancelled by a signal.
        Exception: what ``work`` raises.
    """
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    received: list[signal.Signals] = []

    def stop(wanted: signal.Signals) -> None:
        if not received:
            task.cancel()
        received.append(wanted)

    for wanted in handled_signals():
        loop.add_signal_handler(wanted, stop, wanted)
    try:
        await task
    except asyncio.CancelledError:
        if not received:
            raise
        raise SignalledError from None


def handled_signals() -> list[signal.Signals]:
    """The signals that the process was not started to ignore (``nohup`` ignores SIGHUP)."""
    return [wanted for wanted in SIGNALS if signal.getsignal(wanted) is not signal.SIG_IGN]


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
