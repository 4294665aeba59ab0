"""A service's process: started in a session of its own, ended with all of its children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

from tallow.monitoring.lifecycle.private_files import append_private
from tallow.stack.engines.supervisor.state_files import Task

TERMINATE_S: Final = 15.0
"""From SIGTERM to SIGKILL: Prometheus may have a block to write."""

_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


async def spawn(task: Task, log_file: Path) -> asyncio.subprocess.Process:
    """Start a program. It writes to its log file by itself, and so does not depend on the supervisor's life.

    Raises:
        OSError: it cannot be started.
    """
    output = _open_log(log_file)
    try:
        return await asyncio.create_subprocess_exec(
            *task.command,
            cwd=task.folder,
            env=_environment(task),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    finally:
        if output >= 0:
            os.close(output)


async def terminate(process: asyncio.subprocess.Process) -> bool:
    """End a program and its children: SIGTERM, then SIGKILL; whether the program needed the latter."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            # Not through the process object: Popen.send_signal() may take the exit status of a process that
            # has just ended away from asyncio, which then reports 255.
            os.kill(process.pid, signal.SIGTERM)
            os.kill(process.pid, signal.SIGCONT)  # a stopped process does not handle SIGTERM
    killed = False
    try:
        async with asyncio.timeout(TERMINATE_S):
            await process.wait()
    except TimeoutError:
        killed = True
    kill_session(process.pid)
    await process.wait()
    return killed


def kill_session(pid: int) -> None:
    """Kill what is left of a program's session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def created(pid: int) -> float | None:
    """When a process was created, in seconds since the epoch; None if it is gone."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).create_time()
    return None


def append(log_file: Path, text: str) -> None:
    """Write to a program's log in its place. A full disk loses the text: the program matters more."""
    output = _open_log(log_file)
    if output < 0:
        return
    try:
        with contextlib.suppress(OSError):
            os.write(output, text.encode())
    finally:
        os.close(output)


def _open_log(log_file: Path) -> int:
    try:
        return append_private(log_file)
    except OSError:
        return subprocess.DEVNULL


def _environment(task: Task) -> Mapping[str, str]:
    inherited = dict(os.environ)
    if not task.inherits:
        names = {*_ENVIRONMENT, *_PROXIES, *(proxy.lower() for proxy in _PROXIES)}
        inherited = {name: value for name, value in inherited.items() if name in names}
    return inherited | task.environment
