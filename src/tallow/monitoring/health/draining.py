"""Draining: after SIGTERM, readiness answers 503 while the server still accepts and finishes requests.

A server that receives SIGTERM closes its listening sockets at once, so that a load balancer learns of it from
failed requests. The handler installed here reports "not ready" first, and passes the signal on to the
server's own handler when the grace time is over. A second SIGTERM is passed on at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from tallow.monitoring.health.hypercorn_shutdown import ShutdownEventFilter

DEFAULT_LIMIT_S: Final = 2.0
"""Without a grace time, the signal is passed on when no request is in flight, after at most this time."""
_POLL_S: Final = 0.02
_NUMBER: Final = signal.SIGTERM


class Draining:
    """The draining state of a process, and its handler of SIGTERM.

    Attributes:
        begin_request: counts an object, the request of an application, as in flight.
        end_request: ends that. An object that is not in flight is ignored.

    Servers that wait for signals on the event loop (hypercorn, granian, gunicorn's ASGI worker) are woken by
    ``signal.set_wakeup_fd``. A socket in its place keeps SIGTERM from them until the grace time is over.
    Workers of hypercorn get no signal: they poll an event, which is filtered likewise.
    """

    def __init__(self) -> None:
        self._draining = False
        self._passing_on = False
        self._signalled = False
        self._users = 0
        self._grace_s: float | None = None
        self._in_flight: set[object] = set()
        # Methods of the set: every request calls them.
        self.begin_request: Callable[[object], None] = self._in_flight.add
        self.end_request: Callable[[object], None] = self._in_flight.discard
        self._pid = 0
        self._previous: Any = None
        self._wakeup: _WakeupFilter | None = None
        self._shutdown_event: ShutdownEventFilter | None = None
        self._deadline = 0.0

    def draining(self) -> bool:
        """Whether the process is about to stop: readiness answers 503.

        Example:
            >>> from tallow.monitoring.health import draining
            >>> draining()
            False
        """
        return self._draining

    def start_draining(self) -> None:
        """Report "not ready" from now on, for applications that learn of their stop in another way.

        Example:
            >>> from tallow.monitoring.health import draining, start_draining, stop_draining
            >>> start_draining()
            >>> draining()
            True
            >>> stop_draining()
        """
        self._draining = True

    def stop_draining(self) -> None:
        """Report the results of the checks again.

        Example:
            >>> from tallow.monitoring.health import draining, stop_draining
            >>> stop_draining()
            >>> draining()
            False
        """
        self._draining = False

    def open(self, grace_s: float | None) -> None:
        """Handle SIGTERM until :meth:`close` is called as often as this method.

        Args:
            grace_s: seconds in which the server still accepts requests; None: until no request is in flight,
                at most :data:`DEFAULT_LIMIT_S`.
        """
        self._users += 1
        self.install(grace_s)

    def install(self, grace_s: float | None) -> None:
        """Put the handler in front of the present one.

        Does nothing outside the main thread, if SIGTERM is ignored or handled outside Python, if the handler
        is installed, or if neither :meth:`open` was called nor a server has a handler.

        Args:
            grace_s: as for :meth:`open`, which a server without lifespan does not call.
        """
        self._grace_s = grace_s
        if threading.current_thread() is not threading.main_thread():
            return
        if self._shutdown_event is None:
            self._shutdown_event = ShutdownEventFilter.install(self._may_stop)
        handler = signal.getsignal(_NUMBER)
        if handler in (None, signal.SIG_IGN, self._on_signal):
            return
        if handler == signal.SIG_DFL and not self._users:
            return
        self._previous, self._pid = handler, os.getpid()
        signal.signal(_NUMBER, self._on_signal)
        if self._wakeup is None:
            with suppress(RuntimeError):  # no running event loop
                self._wakeup = _WakeupFilter.install(asyncio.get_running_loop())

    def close(self) -> None:
        """Restore the server's handler, unless another one has been installed meanwhile."""
        self._users = max(0, self._users - 1)
        self.uninstall()

    def uninstall(self) -> None:
        """Restore the handler that was present before, unless an application is open."""
        if self._users:
            return
        self._draining = self._signalled = False
        wakeup, self._wakeup = self._wakeup, None
        if wakeup is not None:
            wakeup.remove()
        event, self._shutdown_event = self._shutdown_event, None
        if event is not None:
            event.remove()
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(_NUMBER) == self._on_signal:
            signal.signal(_NUMBER, self._previous)

    def _on_signal(self, number: int, frame: Any) -> None:
        if self._passing_on:  # the server's handler calls the one that it replaced
            return
        first = not self._signalled and os.getpid() == self._pid  # not in a forked child
        self._begin()
        if first and not self._is_over():
            threading.Thread(target=self._end_grace, name="drain", daemon=True).start()
        else:
            self._pass_on(number, frame)

    def _begin(self) -> None:
        """Report "not ready" and let the grace time begin, once."""
        if not self._signalled:
            limit = DEFAULT_LIMIT_S if self._grace_s is None else self._grace_s
            self._deadline = time.monotonic() + limit
        self._draining = self._signalled = True

    def _is_over(self) -> bool:
        """Whether the grace time is over. Without one, it is when no request is in flight."""
        return (self._grace_s is None and not self._in_flight) or time.monotonic() >= self._deadline

    def _may_stop(self) -> bool:
        """Answer a server that has been told to stop and asks again and again whether it has."""
        self._begin()
        return self._is_over()

    def _end_grace(self) -> None:
        """Send the signal again when the grace time is over: handlers run in the main thread."""
        while not self._is_over():
            time.sleep(_POLL_S)
        main = threading.main_thread().ident
        if self._signalled and main is not None:  # the application has not been closed meanwhile
            signal.pthread_kill(main, _NUMBER)  # this thread's id would not end the main thread's select()

    def _pass_on(self, number: int, frame: Any) -> None:
        self._passing_on = True
        try:
            if callable(self._previous):
                self._previous(number, frame)
            else:
                _terminate(number)
            if self._wakeup is not None:
                self._wakeup.forward(bytes([number]))
        finally:
            self._passing_on = False


class _WakeupFilter:
    """Stands between the interpreter and the event loop's wake-up socket, and keeps SIGTERM back."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: int) -> None:
        self._loop = loop
        self._target = target
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        loop.add_reader(self._reader.fileno(), self._on_readable)

    @classmethod
    def install(cls, loop: asyncio.AbstractEventLoop) -> _WakeupFilter | None:
        """Return a filter; None if the loop does not handle signals."""
        target = signal.set_wakeup_fd(-1)
        return None if target == -1 else cls(loop, target)

    def forward(self, numbers: bytes) -> None:
        """Wake the event loop for signals."""
        if numbers:
            with suppress(OSError):  # the loop is closed, or busy and awake anyway
                os.write(self._target, numbers)

    def remove(self) -> None:
        """Restore the event loop's socket, unless another one has been set meanwhile."""
        if not self._loop.is_closed():
            self._loop.remove_reader(self._reader.fileno())
        present = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(
            self._target if present == self._writer.fileno() else present, warn_on_full_buffer=False
        )
        self._reader.close()
        self._writer.close()

    def _on_readable(self) -> None:
        with suppress(OSError):
            received = self._reader.recv(4096)
            self.forward(received.replace(bytes([_NUMBER]), b""))


def _terminate(number: int) -> None:
    """End the process as the default action does."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)  # process 1 of a container has no default action


DRAINING: Final = Draining()
"""The state of the process."""
