"""A program is restarted after failures and on request, and stopped with its children."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from support.programs.prometheus import free_port
from tallow.stack.engines.processes import managed_process
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import liveness
from tallow.stack.engines.supervisor import process_keeper as module
from tallow.stack.engines.supervisor.process_keeper import ProcessKeeper
from tallow.stack.engines.supervisor.state_files import Probe, RestartRequest, Task

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "home")
    made.make()
    return made


def keeper(home: StateDir, code: str, **environment: str) -> ProcessKeeper:
    task = Task("job", [sys.executable, "-c", code], str(home.data), environment)
    return ProcessKeeper(task, home, lambda: None)


async def until(done: Callable[[], object]) -> None:
    while not done():
        await asyncio.sleep(0.01)


def log(home: StateDir) -> str:
    path = home.logs / "job.log"
    return path.read_text() if path.exists() else ""


async def test_a_program_that_ends_is_restarted(home: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    kept = keeper(home, "import sys; sys.exit(7)")
    kept.start()
    await until(lambda: kept.status.restarts >= 2)
    ended = kept.status.last_exit
    assert ended
    assert (ended.cause, ended.status) == ("exited", 7)
    assert ended.reason == "ended by itself with exit status 7"
    await kept.stop("the test is over")
    assert kept.status.state == "stopped"


async def test_a_requested_restart_is_immediate_and_not_counted(home: StateDir) -> None:
    kept = keeper(home, "import time; time.sleep(60)")
    kept.start()
    await until(lambda: kept.status.pid)
    first = kept.status.process()
    assert first
    await kept.restart(RestartRequest(1, "tallow reload: LOG_LEVEL changed"))
    assert not first.is_running()
    assert kept.status.pid not in {None, first.pid}
    assert (kept.status.state, kept.status.restarts) == ("running", 0)
    assert kept.status.restart_request == 1
    ended = kept.status.last_exit
    assert ended
    assert (ended.cause, ended.status) == ("restart", -signal.SIGTERM)
    assert ended.reason == "restarted on request: tallow reload: LOG_LEVEL changed"
    await kept.stop("the test is over")


async def test_a_program_gets_the_time_of_its_requested_start(
    home: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    kept = keeper(
        home, "import os, time; print(os.environ['TALLOW_REQUESTED_START'], flush=True); time.sleep(60)"
    )
    kept.start()
    await until(lambda: len(log(home).split()) == 1)
    failing = kept.status.process()
    assert failing
    failing.kill()
    await until(lambda: len(log(home).split()) == 2)
    await kept.restart(RestartRequest(1, "tallow reload"))
    await until(lambda: len(log(home).split()) == 3)
    await kept.stop("the test is over")
    first, after_a_failure, after_a_request = map(float, log(home).split())
    assert after_a_failure == first
    assert after_a_request > first


async def test_a_requested_restart_ends_the_pause_after_a_failure(
    home: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 3600)
    mended = home.data / "mended"
    kept = keeper(
        home, f"import pathlib, time; time.sleep(3600 if pathlib.Path({str(mended)!r}).exists() else 0)"
    )
    kept.start()
    await until(lambda: kept.status.state == "waiting")
    mended.touch()
    await kept.restart(RestartRequest(1, "tallow reload"))
    assert (kept.status.state, kept.status.restarts) == ("running", 0)
    await kept.stop("the test is over")


async def test_a_suspended_program_can_be_restarted(home: StateDir) -> None:
    kept = keeper(home, "import time; print(1, flush=True); time.sleep(60)")
    kept.start()
    await until(lambda: log(home) == "1\n")
    assert kept.status.pid
    os.kill(kept.status.pid, signal.SIGSTOP)
    await kept.restart(RestartRequest(1, "tallow restart"))
    ended = kept.status.last_exit
    assert ended
    assert ended.status == -signal.SIGTERM
    await kept.stop("the test is over")


async def test_a_foreign_signal_is_logged(home: StateDir, capfd: pytest.CaptureFixture[str]) -> None:
    kept = keeper(home, "import time; print(1, flush=True); time.sleep(60)")
    kept.start()
    await until(lambda: log(home) == "1\n")
    assert kept.status.pid
    os.kill(kept.status.pid, signal.SIGKILL)
    await until(lambda: kept.status.state == "waiting")
    await kept.stop("the test is over")
    ended = kept.status.last_exit
    assert ended
    assert ended.reason.startswith("ended by SIGKILL, which the supervisor did not send")
    lines = [json.loads(one) for one in capfd.readouterr().err.splitlines()]
    [output] = [one for one in lines if one["message"] == ended.reason]
    assert (output["level"], output["component"], output["signal"]) == ("error", "job", "SIGKILL")


async def test_a_program_that_cannot_be_started_gets_a_log_entry(home: StateDir) -> None:
    kept = ProcessKeeper(Task("job", ["/no/such/program"], str(home.data), {}), home, lambda: None)
    kept.start()
    await until(lambda: kept.status.state == "waiting")
    await kept.stop("the test is over")
    output = json.loads(log(home))
    assert output["level"] == "error"
    assert output["message"] == "cannot be started: No such file or directory (/no/such/program)"


async def test_stopping_ends_the_children(home: StateDir) -> None:
    code = "import subprocess as s, time; print(s.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    kept = keeper(home, code)
    kept.start()
    await until(lambda: log(home).endswith("\n"))
    child = psutil.Process(int(log(home)))
    await kept.stop("the test is over")
    _, alive = psutil.wait_procs([child], timeout=30)
    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []
    assert kept.status.state == "stopped"


async def test_a_program_that_ignores_sigterm_is_killed(
    home: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(managed_process, "TERMINATE_S", 0.2)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    code = f"import signal, time; {deaf}; print(1, flush=True); time.sleep(60)"
    kept = keeper(home, code)
    kept.start()
    await until(lambda: log(home) == "1\n")
    process = kept.status.process()
    assert process
    await kept.stop("the test is over")
    assert not process.is_running()
    ended = kept.status.last_exit
    assert ended
    assert ended.status == -signal.SIGKILL
    assert ended.reason == "stopped on request: the test is over; it ignored SIGTERM and was killed"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
async def test_a_full_disk_does_not_stop_a_program(home: StateDir) -> None:
    (home.logs / "job.log").symlink_to("/dev/full")
    done = home.data / "done"
    code = f"""
import os, pathlib, time
try:
    os.write(1, b"a line")
except OSError:
    pathlib.Path({str(done)!r}).touch()
time.sleep(60)
"""
    kept = keeper(home, code)
    kept.start()
    await until(done.exists)
    assert kept.status.state == "running"
    await kept.stop("the test is over")


async def test_programs_do_not_inherit_the_operators_environment(
    home: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", "secret")
    kept = keeper(home, "import os, time; print(sorted(os.environ), flush=True); time.sleep(60)", OWN="1")
    kept.start()
    await until(lambda: log(home).endswith("\n"))
    await kept.stop("the test is over")
    assert "PAGERDUTY_ROUTING_KEY" not in log(home)
    assert "'OWN'" in log(home)
    assert "'PATH'" in log(home)
    assert os.environ["PAGERDUTY_ROUTING_KEY"] == "secret"


SERVER = """
import http.server, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answers)
print("listens", flush=True)
server.serve_forever()
"""


@pytest.mark.slow
async def test_a_program_that_hangs_is_ended_and_counted(
    home: StateDir, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(liveness, "IDLE_S", 0.05)
    monkeypatch.setattr(liveness, "MIN_ANSWER_S", 0.5)
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    task = Task("job", command, str(home.data), {}, probe=Probe("127.0.0.1", port, "/", "/"))
    kept = ProcessKeeper(task, home, lambda: None, liveness_timeout=lambda: 2.4)
    kept.start()
    await until(lambda: log(home) == "listens\n")
    await asyncio.sleep(0.5)  # asked several times, and answers
    assert kept.status.restarts == 0
    assert kept.status.pid
    os.kill(kept.status.pid, signal.SIGSTOP)
    await until(lambda: kept.status.restarts == 1)
    await until(lambda: log(home) == "listens\nlistens\n")
    ended = kept.status.last_exit
    assert ended
    assert ended.cause == "unresponsive"
    assert re.match(r"ended by the supervisor: no answer for \d s \(/: no answer within \d s\)", ended.reason)
    await kept.stop("the test is over")
    output = [json.loads(one) for one in capfd.readouterr().err.splitlines()]
    assert [one["level"] for one in output if one["message"] == ended.reason] == ["error"]
    assert [one["level"] for one in output if one["message"].startswith("does not answer")] == ["warning"]


async def test_a_program_that_starts_slowly_is_not_restarted(
    home: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "IDLE_S", 0.02)
    monkeypatch.setattr(liveness, "MIN_ANSWER_S", 0.05)
    port = free_port()
    code = "import time; print('starts', flush=True); time.sleep(60)"
    probe = Probe("127.0.0.1", port, "/", "/")
    task = Task("job", [sys.executable, "-c", code], str(home.data), {}, probe=probe)
    kept = ProcessKeeper(task, home, lambda: None, liveness_timeout=lambda: 0.05)
    kept.start()
    await until(lambda: log(home) == "starts\n")
    await asyncio.sleep(0.5)
    assert (kept.status.state, kept.status.restarts) == ("running", 0)
    await kept.stop("the test is over")


async def test_a_failure_of_the_keeper_itself_is_logged(
    home: StateDir, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "ManagedProcess", broken)
    kept = keeper(home, "")
    kept.start()
    await kept.restart(RestartRequest(1, "tallow restart"))
    await kept.stop("the test is over")
    [output] = [json.loads(one) for one in capfd.readouterr().err.splitlines()]
    assert (output["level"], output["message"]) == ("fatal", "is not supervised any more")
    assert output["reason"].startswith("ZeroDivisionError at broken:")
