"""The heartbeat checker sends an e-mail if Prometheus or Alertmanager is killed."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from support.stack import Stack, expect_value, stack, wait_until
from tallow.cli import main
from tallow.stack.engines.services.control import hold

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("heartbeat")]

SCALE = 1 / 30
"""With it Watchdog is sent every four seconds, and ten seconds without it raise the alarm."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("heartbeat"), SCALE) as started:
        wait_until(lambda: status(started)["state"] == "beating", "the first heartbeat")
        yield started


def status(running: Stack) -> dict[str, str]:
    done = CliRunner().invoke(main, ["status", "--json", "--home", str(running.state_dir.root)])
    found: dict[str, str] = json.loads(done.output)["heartbeat"]
    return found


@pytest.mark.parametrize(
    ("service", "reason"),
    [("prometheus", "Prometheus is down"), ("alertmanager", "Alertmanager has sent no Watchdog")],
)
def test_messages_are_sent_when_alerting_fails_and_when_it_is_back(
    running: Stack, service: str, reason: str
) -> None:
    pages, recovered = len(running.mail("No heartbeat")), len(running.mail("The heartbeat is back"))
    running.process(service).send_signal(signal.SIGKILL)
    hold(running.state_dir, [service])
    [page] = wait_until(lambda: running.mail("No heartbeat")[pages:], "the message")
    assert page.subject.startswith("[CRITICAL]")
    assert reason in page.text
    assert status(running)["state"] == "missing"
    running.start()
    wait_until(lambda: running.mail("The heartbeat is back")[recovered:], "the message that it is back")
    expect_value(lambda: status(running)["state"], "beating")


def test_a_restart_of_the_checker_sends_no_message(running: Stack) -> None:
    pages, restarts = len(running.mail("No heartbeat")), running.running("heartbeat").restarts
    running.process("heartbeat").kill()
    wait_until(lambda: running.running("heartbeat").restarts > restarts, "it is restarted")
    before = float(status(running)["last_beat"])
    wait_until(lambda: float(status(running)["last_beat"]) > before, "the next beat")
    assert len(running.mail("No heartbeat")) == pages


def test_status_shows_the_time_of_the_last_heartbeat(running: Stack) -> None:
    result = CliRunner().invoke(main, ["status", "--home", str(running.state_dir.root)])
    assert "heartbeat: last beat" in result.output
