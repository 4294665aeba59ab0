"""`tallow doctor` on a running stack: nothing to correct on a fresh one, and damages of a running one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.installation import edit_yaml
from support.stack import Stack, expect_value, stack, wait_until
from tallow.stack.clients.alertmanager import add_silence, expire_silence
from tallow.stack.clients.matchers import Matcher
from tallow.stack.doctor.model import Problem, diagnose
from tallow.stack.doctor.native.checks import CHECKS, diagnose_native
from tallow.stack.doctor.native.installation import Installation
from tallow.stack.engines.reload.acceptance import reload_state
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.control import hold
from tallow.stack.heartbeat.state import HeartbeatState

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("native"), pytest.mark.timeout(600)]

SCALE = 1 / 10


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("doctor"), SCALE) as started:
        wait_until(lambda: heartbeat(started).state == "beating", "the heartbeat arrives")
        wait_until(lambda: started.value("count(up == 1)") == 5, "every target is scraped")
        yield started


def heartbeat(running: Stack) -> HeartbeatState:
    return HeartbeatState.read(running.state_dir.data / "heartbeat") or HeartbeatState()


def problems_of(check: str, running: Stack, **machine: Any) -> list[Problem]:
    checks = [one for one in CHECKS if one.id == check]
    [result] = diagnose("native", checks, Installation(running.state_dir, **machine)).results
    assert not result.skipped, result.skipped
    return list(result.problems)


@contextmanager
def edited(running: Stack, service: str, path: Path, change: Any) -> Iterator[None]:
    """The service uses a changed file for the block."""
    text = path.read_text()

    def reload() -> None:
        running.process(service).send_signal(signal.SIGHUP)

    edit_yaml(path, change)
    reload()
    try:
        yield
    finally:
        path.write_text(text)
        reload()
        wait_until(lambda: not problems_of("configuration-loaded", running), f"{service} reads it again")


def test_a_fresh_stack_has_warnings_only_about_what_the_operator_must_set(running: Stack) -> None:
    of_this_machine = {"clock", "user", "retention", "open-files", "disk"}

    def findings() -> dict[str, set[str]]:
        """The checks with each outcome but ok. A scrape may fail once on a loaded machine."""
        found: dict[str, set[str]] = {}
        for one in diagnose_native(Installation(running.state_dir)).results:
            if one.outcome != "ok" and one.id not in of_this_machine:
                found.setdefault(one.outcome, set()).add(one.id)
        return found

    expect_value(
        findings,
        {
            "warning": {"receivers", "heartbeat-target"},
            "skipped": {"env-file", "certificate", "public-pages", "public-clock"},
        },
    )


def test_an_invalid_setting_is_named(running: Stack) -> None:
    env = Path(running.options.env_folder) / ".env"
    env.write_text("PAGERDUTY_ROUTING_KEY=short\n")
    try:
        [problem] = problems_of("settings", running)
    finally:
        env.unlink()
    assert "PAGERDUTY_ROUTING_KEY" in problem.message
    assert "reload" in problem.remedy


def test_a_setting_that_the_stack_has_not_read_is_named(running: Stack) -> None:
    env = Path(running.options.env_folder) / ".env"
    env.write_text("LOG_LEVEL=warning\n")
    try:
        [problem] = problems_of("settings", running)
    finally:
        env.unlink()
    assert problem.message == "changed since the stack read its settings: LOG_LEVEL"
    assert problem.severity == "warning"


def test_rules_that_prometheus_does_not_evaluate_are_named(running: Stack) -> None:
    rules = running.state_dir.config / "prometheus" / "rules" / "prometheus-rules.yml"
    with edited(running, "prometheus", rules, lambda document: document["groups"].pop(0)):
        wait_until(lambda: problems_of("rules-loaded", running), "the rules are gone")
        [problem] = problems_of("rules-loaded", running)
    assert "does not evaluate" in problem.message
    assert "reload" in problem.remedy


def test_a_configuration_that_is_refused_is_named(running: Stack) -> None:
    file = running.state_dir.config / "alertmanager" / "alertmanager.yml"
    with edited(running, "alertmanager", file, lambda document: document["route"].pop("receiver")):
        wait_until(lambda: not _accepted("alertmanager", running), "it is refused")
        [problem] = problems_of("configuration-loaded", running)
    assert problem.message == "alertmanager has refused its configuration and uses the one before"


def _accepted(service: str, running: Stack) -> bool:
    state = reload_state(service, running.state_dir)
    return state is None or state.successful


@pytest.mark.proof
def test_a_prometheus_without_an_alertmanager_is_named(running: Stack) -> None:
    file = running.state_dir.config / "prometheus" / "prometheus.yml"
    with edited(running, "prometheus", file, lambda document: document.pop("alerting")):
        wait_until(lambda: problems_of("alertmanager", running), "it has none")
        [problem] = problems_of("alertmanager", running)
    assert problem.message == "Prometheus sends alerts to no Alertmanager"
    wait_until(lambda: not problems_of("alertmanager", running), "it has one again")


def test_a_hanging_service_does_not_hide_other_checks(running: Stack) -> None:
    process = running.process("prometheus")
    os.kill(process.pid, signal.SIGSTOP)
    try:
        results = {one.id: one for one in diagnose_native(Installation(running.state_dir)).results}
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert "prometheus is failing: suspended by SIGSTOP" in results["services"].problems[0].message
    assert results["targets"].skipped == "prometheus does not answer; see: services"
    assert results["routes"].outcome == "ok"


def test_silences_that_hide_watchdog_or_are_forgotten_are_named(running: Stack) -> None:
    api, now = Api.of("alertmanager", running.state_dir), datetime.now(UTC)

    def silence(text: str, days: float) -> str:
        matchers = [Matcher.parse(text)]
        return add_silence(api, matchers, now, now + timedelta(days=days), by="test", comment="test")

    assert problems_of("silences", running) == []
    identities = [silence('alertname=~".+"', 1), silence("HighErrorRate", 30), silence("HighErrorRate", 2)]
    try:
        broad, long = sorted(problems_of("silences", running), key=lambda problem: problem.severity)
    finally:
        for identity in identities:
            expire_silence(api, identity)
    assert "also silences Watchdog" in broad.message
    assert identities[0] in broad.remedy
    assert 'alertname="HighErrorRate" lasts until' in long.message
    assert identities[1] in long.remedy
    assert problems_of("silences", running) == []


def test_a_clock_that_was_set_back_is_named(running: Stack) -> None:
    expect_value(lambda: problems_of("samples", running), [])
    [problem] = problems_of("samples", running, now=lambda: datetime.now(UTC).timestamp() - 3600)
    assert "in the future: the clock was set back" in problem.message


@pytest.mark.proof
def test_a_heartbeat_that_stopped_and_notifications_that_failed_are_named(running: Stack) -> None:
    wait_until(lambda: not problems_of("heartbeat", running), "the heartbeat arrives")
    assert problems_of("deliveries", running) == []
    folder, before = running.state_dir.data / "heartbeat", heartbeat(running)
    hold(running.state_dir, ["heartbeat"])
    stopped = HeartbeatState("missing", before.since, before.last_beat, "Watchdog is late", ("email",))
    stopped.write(folder)
    try:
        missing, untold = problems_of("heartbeat", running)
        wait_until(lambda: problems_of("deliveries", running), "a notification fails")
        [failed] = problems_of("deliveries", running)
    finally:
        before.write(folder)
        running.start()
    assert missing.message == "no heartbeat arrives: Watchdog is late"
    assert untold.message == "the heartbeat checker could not notify email"
    assert "notifications by webhook have failed in the last hour" in failed.message
    assert "alerts test" in failed.remedy


def test_the_stack_s_sockets_are_seen_and_none_is_exposed(running: Stack) -> None:
    found = Installation(running.state_dir).listeners(running.state_dir)
    assert {one.service for one in found} == {
        *("mailbox", "heartbeat", "tallow", "node-exporter", "alertmanager", "prometheus", "dashboards")
    }
    assert {one.port for one in found if one.service == "prometheus"} == {running.port("prometheus")}
    assert [one for one in found if one.is_exposed] == []


def test_a_service_that_is_stopped_is_named_as_target_too(running: Stack) -> None:
    """The last test of the stack: of a Prometheus that has just started, doctor waits for a later scrape."""
    hold(running.state_dir, ["node-exporter"])
    try:
        wait_until(lambda: running.running("node-exporter").state == "stopped", "it is stopped")
        [problem] = problems_of("services", running)
        wait_until(lambda: problems_of("targets", running), "Prometheus notices")
        [target] = problems_of("targets", running)
    finally:
        running.start()
    assert "node-exporter is stopped" in problem.message
    assert "cannot scrape node-exporter" in target.message
    wait_until(lambda: not problems_of("targets", running), "it is scraped again")
