"""The state of a service follows from its process and its readiness check."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from tallow.stack.engines.services.health import Health
from tallow.stack.engines.services.service_state import (
    RECENT_S,
    START_S,
    ServiceState,
    format_age,
    service_state,
    unhealthy,
)
from tallow.stack.engines.supervisor.state_files import ExitCause, ExitRecord, ProcessStatus

ANSWERS = Health(True)
SILENT = Health(False, "does not answer within 2 s")
DOWN = Health(False, "does not listen on its port")


@pytest.fixture
def process() -> Iterator[psutil.Process]:
    with subprocess.Popen(["sleep", "600"]) as started:
        yield psutil.Process(started.pid)
        started.kill()


@pytest.fixture
def running(process: psutil.Process) -> ProcessStatus:
    """The supervisor's status of a service that has just started."""
    return ProcessStatus("running", process.pid, process.create_time(), since=time.time())


def ended(cause: ExitCause, reason: str, seconds_ago: float = 5) -> ExitRecord:
    return ExitRecord(cause, 1, time.time() - seconds_ago, reason)


def test_a_process_that_answers_is_healthy(running: ProcessStatus) -> None:
    assert service_state(running, ANSWERS) == ServiceState("healthy")


def test_a_new_process_without_an_answer_is_starting(running: ProcessStatus) -> None:
    assert service_state(running, DOWN) == ServiceState("starting", DOWN.why)


def test_an_old_process_without_an_answer_is_failing(running: ProcessStatus) -> None:
    old = replace(running, since=time.time() - START_S - 1)
    assert service_state(old, SILENT) == ServiceState("failing", SILENT.why)


def test_a_suspended_process_is_reported_as_such(running: ProcessStatus, process: psutil.Process) -> None:
    process.send_signal(signal.SIGSTOP)
    while process.status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)
    state = service_state(running, SILENT)
    process.send_signal(signal.SIGCONT)
    assert state.name == "failing"
    assert state.detail == f"suspended by SIGSTOP; to resume it: kill -CONT {process.pid}"


def test_an_answer_without_a_process_comes_from_another_program(
    running: ProcessStatus, process: psutil.Process
) -> None:
    process.kill()
    process.wait()
    state = service_state(running, ANSWERS)
    assert (state.name, state.is_healthy) == ("ended", False)
    assert "another program answers on its port" in state.detail


def test_a_service_that_waits_for_its_restart_has_its_exit_reason() -> None:
    waiting = ProcessStatus("waiting", last_exit=ended("exited", "ended by itself with exit status 1"))
    state = service_state(waiting, DOWN)
    assert state.name == "ended"
    assert state.detail == ("ended by itself with exit status 1, 5 s ago; it will be restarted")


def test_a_stopped_service_has_the_reason_of_the_request() -> None:
    stopped = ProcessStatus("stopped", last_exit=ended("stop", "stopped on request: tallow down", 61))
    assert service_state(stopped, DOWN) == ServiceState("stopped", "stopped on request: tallow down, 1 m ago")


def test_a_healthy_service_has_the_reason_of_its_last_failure(running: ProcessStatus) -> None:
    failed = replace(running, last_exit=ended("exited", "ended by SIGKILL"))
    assert service_state(failed, ANSWERS) == ServiceState("healthy", "restarted 5 s ago: ended by SIGKILL")


@pytest.mark.parametrize(
    "last",
    [ended("restart", "on request"), ended("stop", "on request"), ended("exited", "old", RECENT_S + 9)],
)
def test_requested_and_old_restarts_are_not_shown(running: ProcessStatus, last: ExitRecord) -> None:
    assert service_state(replace(running, last_exit=last), ANSWERS) == ServiceState("healthy")


def test_a_service_unknown_to_the_supervisor_was_not_started() -> None:
    assert service_state(None, DOWN) == ServiceState("ended", "not started")


def test_unhealthy_services_are_listed() -> None:
    states = {name: ServiceState(name) for name in ("healthy", "starting", "failing", "ended", "stopped")}
    assert unhealthy(states) == ["starting", "failing", "ended", "stopped"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 m"), (7_200, "2 h"), (172_800, "2 d"), (-5, "0 s")],
)
def test_ages_have_one_unit(seconds: float, text: str) -> None:
    assert format_age(time.time() - seconds - (0.01 if seconds > 0 else 0)) == text
