"""Signals end a command at every stage; work in threads does not delay that."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
import termios
from concurrent.futures import Future
from pathlib import Path

import pytest

from tallow.app.commands.executor import THREADS, DaemonExecutor

pytestmark = pytest.mark.slow

STUCK = """
import asyncio, sys, time
from tallow.app.commands.executor import DaemonExecutor
from tallow.app.commands.interrupts import SignalledError, run_until_signalled

async def work():
    print("working", flush=True)
    try:
        await asyncio.to_thread(time.sleep, 3600)
    finally:
        print("ended", flush=True)

try:
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(DaemonExecutor())
        runner.run(run_until_signalled(work()))
except SignalledError:
    sys.exit(7)
"""


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_blocked_thread_does_not_delay_the_end(wanted: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "working\n"
        process.send_signal(wanted)
        assert process.stdout.read() == "ended\n"
    assert process.returncode == 7


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_prompt_restores_the_echo(wanted: signal.Signals, tmp_path: Path) -> None:
    """`tallow receive` asks for the link without showing it."""
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    ours, theirs = pty.openpty()
    echo = termios.tcgetattr(theirs)[3] & termios.ECHO
    command = [sys.executable, "-m", "tallow", "receive", "-o", str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        shown = b""
        while b"Link" not in shown or termios.tcgetattr(theirs)[3] & termios.ECHO:
            shown += os.read(ours, 1024)
        process.send_signal(wanted)
        assert process.wait() == 130
    assert termios.tcgetattr(theirs)[3] & termios.ECHO == echo
    for descriptor in (ours, theirs):
        os.close(descriptor)


async def test_the_executor_returns_results_and_raises_errors() -> None:
    asyncio.get_running_loop().set_default_executor(DaemonExecutor())
    assert await asyncio.gather(*(asyncio.to_thread(pow, number, 2) for number in range(100))) == [
        number**2 for number in range(100)
    ]
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(divmod, 1, 0)


def test_the_executor_has_a_limited_number_of_threads() -> None:
    executor, gate = DaemonExecutor(), Future[None]()
    waiting = [executor.submit(gate.result) for _ in range(THREADS * 2)]
    assert executor._started == THREADS
    gate.set_result(None)
    for future in waiting:
        future.result()


def test_a_cancelled_call_does_not_start() -> None:
    executor, gate = DaemonExecutor(), Future[None]()
    started: list[int] = []
    for _ in range(THREADS):
        executor.submit(gate.result)
    late = executor.submit(started.append, 1)
    assert late.cancel()
    gate.set_result(None)
    executor.submit(int).result()
    assert started == []
