"""A managed process starts in its own session and ends with its children."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tallow.stack.engines.processes import managed_process
from tallow.stack.engines.processes.environment import inherited_environment
from tallow.stack.engines.processes.managed_process import ManagedProcess

SLEEP = "import time; print('started', flush=True); time.sleep(60)"
PARENT = "import subprocess as s, time; print(s.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"


def python(folder: Path, code: str) -> ManagedProcess:
    return ManagedProcess([sys.executable, "-c", code], folder, folder / "log", inherited_environment())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.01)


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def child_of(process: ManagedProcess) -> psutil.Process:
    await process.start()
    await until(process.last_lines)
    return psutil.Process(int(process.last_lines()))


async def test_a_process_that_was_not_started_has_no_state(tmp_path: Path) -> None:
    process = python(tmp_path, SLEEP)
    process.signal(signal.SIGTERM)
    await process.kill()
    assert not await process.stop()
    assert (process.pid, process.exit_status, process.is_running, process.created_at()) == (
        None,
        None,
        False,
        None,
    )
    assert process.last_lines() == ""


async def test_a_stopped_process_can_be_started_again(tmp_path: Path) -> None:
    process = python(tmp_path, SLEEP)
    await process.start()
    await until(process.last_lines)
    first = process.pid
    await process.start()
    assert process.pid == first, "a process that runs is not started a second time"
    assert not await process.stop()
    assert process.exit_status == -signal.SIGTERM
    await process.start()
    await until(lambda: process.last_lines() == "started\nstarted")
    assert process.is_running
    assert process.pid != first
    await process.kill()
    assert process.exit_status == -signal.SIGKILL


@pytest.mark.parametrize("end", [ManagedProcess.stop, ManagedProcess.kill])
async def test_children_end_with_the_process(
    tmp_path: Path, end: Callable[[ManagedProcess], asyncio.Future[object]]
) -> None:
    process = python(tmp_path, PARENT)
    child = await child_of(process)
    await end(process)
    await until(lambda: is_gone(child))
    assert not process.is_running


async def test_children_that_outlive_the_process_can_be_killed(tmp_path: Path) -> None:
    process = python(tmp_path, PARENT.replace("time.sleep(60)", "time.sleep(0)"))
    child = await child_of(process)
    await process.wait()
    assert child.is_running()
    process.kill_session()
    await until(lambda: is_gone(child))


async def test_a_suspended_process_handles_sigterm(tmp_path: Path) -> None:
    process = python(tmp_path, SLEEP)
    await process.start()
    await until(process.last_lines)
    process.signal(signal.SIGSTOP)
    assert not await process.stop()
    assert process.exit_status == -signal.SIGTERM


@pytest.fixture
async def ignoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ManagedProcess:
    """A process that ignores SIGTERM, and is killed soon."""
    monkeypatch.setattr(managed_process, "TERMINATE_S", 0.1)
    process = python(tmp_path, f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}")
    await process.start()
    await until(process.last_lines)
    return process


async def test_a_process_that_ignores_sigterm_is_killed(ignoring: ManagedProcess) -> None:
    assert await ignoring.stop()
    assert ignoring.exit_status == -signal.SIGKILL


async def test_a_task_that_was_cancelled_kills_it_too(ignoring: ManagedProcess) -> None:
    """An interrupted command stops its processes in a cancelled task."""

    async def stop_at_the_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            assert await ignoring.stop()

    task = asyncio.create_task(stop_at_the_end())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ignoring.exit_status == -signal.SIGKILL


async def test_a_program_that_does_not_exist_raises(tmp_path: Path) -> None:
    process = ManagedProcess(["/no/such/program"], tmp_path, tmp_path / "log", {})
    with pytest.raises(FileNotFoundError):
        await process.start()
    assert not process.is_running


async def test_a_log_that_cannot_be_opened_does_not_prevent_the_start(tmp_path: Path) -> None:
    process = ManagedProcess(
        [sys.executable, "-c", "print(1)"], tmp_path, tmp_path / "missing" / "log", inherited_environment()
    )
    await process.start()
    await process.wait()
    process.append_to_log("lost\n")
    assert (process.exit_status, process.last_lines()) == (0, "")


async def test_text_is_appended_to_the_log(tmp_path: Path) -> None:
    process = python(tmp_path, "print('from the program')")
    await process.start()
    await process.wait()
    process.append_to_log("from the supervisor\n")
    assert process.last_lines() == "from the program\nfrom the supervisor"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_settings_of_the_operator_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    monkeypatch.setenv("TZ", "UTC")
    environment = inherited_environment()
    assert "SMTP_PASSWORD" not in environment
    assert environment["TZ"] == "UTC"
    assert inherited_environment(["SMTP_PASSWORD"]) == {"SMTP_PASSWORD": "secret"}
