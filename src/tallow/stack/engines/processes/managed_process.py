"""A child process in a session of its own, stopped or killed together with its children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from tallow.monitoring.lifecycle.private_files import append_private
from tallow.stack.engines.logs.reader import last_lines

TERMINATE_S: Final = 15.0
"""Seconds from SIGTERM to SIGKILL: Prometheus may have to write a block."""


class ManagedProcess:
    """A program that can be started, signalled, stopped and started again.

    It writes to its log file by itself, so that it survives the process that started it. A log file that
    cannot be opened, as on a full disk, loses the output and does not keep the program from starting.

    Args:
        command: the program and its arguments.
        folder: its working directory.
        log: the file that its standard output and error are appended to.
        environment: all of its environment variables.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]
    ) -> None:
        self._command, self._folder, self._log = list(command), folder, log
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not exited."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Its process id; None before the first start."""
        return self._process.pid if self._process else None

    @property
    def exit_status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.returncode if self._process else None

    async def start(self) -> None:
        """Start it, unless it runs.

        Raises:
            OSError: it cannot be started.
        """
        if self.is_running:
            return
        output = _open_log(self._log)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        finally:
            if output >= 0:
                os.close(output)

    async def wait(self) -> None:
        """Wait until it exits; return at once if it was never started."""
        if self._process is not None:
            await self._process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to the program, but not to its children."""
        if self._process is not None and self.is_running:
            with contextlib.suppress(ProcessLookupError):
                # Not with Process.send_signal(): it may reap a process that has just exited before asyncio
                # does, and asyncio then reports the status 255.
                os.kill(self._process.pid, number)

    async def stop(self) -> bool:
        """Send SIGTERM, and SIGKILL to what remains after :data:`TERMINATE_S`.

        Returns:
            Whether the program itself had to be killed.
        """
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a suspended process does not handle SIGTERM
        try:
            # asyncio.timeout of Python 3.11.2 raises CancelledError in a task that was cancelled before.
            await asyncio.wait_for(self.wait(), TERMINATE_S)
        except TimeoutError:
            await self.kill()
            return True
        self.kill_session()
        return False

    async def kill(self) -> None:
        """Send SIGKILL to the program and its children, and wait until the program has exited."""
        self.kill_session()
        await self.wait()

    def kill_session(self) -> None:
        """Send SIGKILL to whatever is left of its session; its children may outlive it and hold its port."""
        if self._process is not None:
            kill_session(self._process.pid)

    def created_at(self) -> float | None:
        """When it was created, in seconds since the epoch; None if it has exited."""
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.pid).create_time() if self.pid else None
        return None

    def append_to_log(self, text: str) -> None:
        """Write to its log file. A full disk loses the text."""
        output = _open_log(self._log)
        if output < 0:
            return
        try:
            with contextlib.suppress(OSError):
                os.write(output, text.encode())
        finally:
            os.close(output)

    def last_lines(self, count: int = 3) -> str:
        """The last lines of its log file; empty if it cannot be read."""
        with contextlib.suppress(OSError):
            return "\n".join(last_lines(self._log, count))
        return ""


def kill_session(pid: int) -> None:
    """Send SIGKILL to every process of the session that ``pid`` leads or led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _open_log(log: Path) -> int:
    try:
        return append_private(log)
    except OSError:
        return subprocess.DEVNULL
