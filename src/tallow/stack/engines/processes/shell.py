"""Run one line of shell and collect its output."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tallow.stack.engines.processes.managed_process import kill_session


async def run_shell(
    line: str, folder: Path, environment: Mapping[str, str], timeout_s: float
) -> tuple[int, str]:
    """Run a line of shell to its end, in a session of its own.

    Args:
        line: the command line.
        folder: its working directory.
        environment: all of its environment variables.
        timeout_s: the time limit in seconds. After it, the shell and its children are killed.

    Returns:
        The exit status, and standard output and error together.

    Raises:
        TimeoutError: it did not end in time.
    """
    process = await asyncio.create_subprocess_shell(
        line,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout_s):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            kill_session(process.pid)
            await process.wait()
    return process.returncode or 0, output.decode("utf-8", "replace")
