"""The end of a browser that hangs. A script stands in: a real browser cannot be made to ignore SIGTERM."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from tallow.app.demo import devtools
from tallow.app.demo.devtools import running_browser

HANGING = """#!{python}
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while not os.read(3, 4096).endswith(b"\\0"):
    pass
with open({pid!r}, "w") as file:
    file.write(str(os.getpid()))
os.write(4, b'{{"id": 1, "result": {{}}}}\\0')
time.sleep(600)
"""


async def test_a_browser_that_hangs_is_killed_also_when_the_demo_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devtools, "STOP_TIMEOUT_S", 0.2)
    program, pid = tmp_path / "browser", tmp_path / "pid"
    program.write_text(HANGING.format(python=sys.executable, pid=os.fspath(pid)))
    program.chmod(0o755)
    running = asyncio.Event()

    async def demo() -> None:
        async with running_browser(program):
            running.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(demo())
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(int(pid.read_text()))
