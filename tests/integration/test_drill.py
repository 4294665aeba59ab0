"""Drills pass with the shipped configuration, and report what is broken if something is."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from support.programs.debian import program
from support.stack import wait_until
from tallow.stack import alerts, routing
from tallow.stack.alerts import Rule
from tallow.stack.drill.catalog import DRILLS
from tallow.stack.drill.environment.profile import DrillProfile
from tallow.stack.drill.run import runner
from tallow.stack.drill.run.hung_server import DRILLS as HUNG_SERVER
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.run.suite import DrillSuite
from tallow.stack.routing import config
from tallow.stack.routing.matrix import ROUTES

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("drill")]

QUICK = DrillProfile("quick", 1 / 60)


@pytest.fixture(autouse=True)
def _programs() -> None:
    for name in ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter"):
        program(name)  # skips the test if it is not available
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MARGIN_S", 10.0)


async def run_drills(
    folder: Path,
    *names: str,
    rule_groups: alerts.Groups = alerts.GROUPS,
    hung_server: Sequence[str] = (),
) -> Mapping[str, DrillResult]:
    drills = [replace(DRILLS[name], profile=QUICK) for name in names]
    hung_server_drills = [HUNG_SERVER[name] for name in hung_server]
    return await DrillSuite(
        drills, folder, rule_groups=rule_groups, hung_server_drills=hung_server_drills
    ).run()


def broken(name: str, **changed: object) -> alerts.Groups:
    """The shipped rules with one changed rule."""

    def one(rule: Rule) -> Rule:
        return replace(rule, **changed) if rule.name == name else rule  # type: ignore[arg-type]

    return {group: tuple(one(rule) for rule in rules) for group, rules in alerts.GROUPS.items()}


async def test_drills_of_the_shipped_configuration_pass(tmp_path: Path) -> None:
    """Three alerts on one stack, and beside them a server that hangs in a complete stack."""
    names = ("CriticalErrors", "UnauthorizedAPIAccess", "HighErrorRate")
    results = await run_drills(tmp_path, *names, hung_server=["HungServerRestart"])
    assert [(name, result.problems) for name, result in results.items() if result.problems] == []
    critical = results["CriticalErrors"]
    assert critical.destinations == ("critical by e-mail", "pagerduty", "slack")
    assert critical.notified_at is not None
    assert critical.resolved_at is not None
    check_hung_server(results["HungServerRestart"], tmp_path)


@pytest.mark.proof
async def test_a_hung_server_is_restarted_by_the_runbook(tmp_path: Path) -> None:
    results = await run_drills(tmp_path, hung_server=["HungServerRunbook"])
    check_hung_server(results["HungServerRunbook"], tmp_path)


def check_hung_server(result: DrillResult, folder: Path) -> None:
    assert result.problems == []
    assert result.destinations == ("email", "slack")
    assert result.resolved_at is not None
    assert processes_of(folder) == []


async def test_each_damage_is_reported_for_the_alert_that_it_stops(
    tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that cannot fire, a missing route and a wrong secret, on one stack: each alert has one."""
    rule = alerts.RULES["CriticalErrors"]
    damaged = broken(rule.name, expr=rule.expr.replace("errors", "mistakes"))
    routes = tuple(route for route in ROUTES if route.receiver != "security-alerts")
    monkeypatch.setattr(config, "ROUTES", routes)
    secret_files = routing.secret_files
    monkeypatch.setattr(
        routing,
        "secret_files",
        lambda settings: secret_files(settings) | {"pagerduty_routing_key": "0" * 32},
    )
    names = ("CriticalErrors", "UnauthorizedAPIAccess", "ServiceDown")
    results = await run_drills(tmp_path, *names, rule_groups=damaged)
    found = {name: problem for name in names for problem in results[name].problems}
    assert [len(results[name].problems) for name in names] == [1, 1, 1], found
    assert "the condition of the rule did not hold" in found["CriticalErrors"]
    assert "no page came to security by e-mail, slack" in found["UnauthorizedAPIAccess"]
    assert "it went to default by e-mail" in found["UnauthorizedAPIAccess"]
    assert "no page came to pagerduty" in found["ServiceDown"]
    assert "refused: pagerduty 400 'routing_key' belongs to no integration" in found["ServiceDown"]


def processes_of(folder: Path) -> list[psutil.Process]:
    """Running processes that were started for a stack in a folder."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in part for part in process.info["cmdline"] or ())
    ]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    """A terminal that closes sends SIGHUP."""
    command = [sys.executable, "-m", "tallow", "drill", "ServiceDown"]
    drill = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    try:
        started = wait_until(lambda: started_by(drill.pid, "prometheus"), "Prometheus runs")
        drill.send_signal(number)
        _, err = drill.communicate(timeout=120)
    finally:
        end(drill)
    assert err.split() == ["Interrupted"]
    assert drill.returncode == 130
    assert [process for process in started if process.is_running()] == []
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_drill_of_a_complete_stack_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tallow", "drill", "HungServerRestart"]
    drill = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    try:
        wait_until(
            lambda: any(is_named(one, "prometheus") for one in processes_of(tmp_path)), "Prometheus runs"
        )
        drill.send_signal(signal.SIGTERM)
        drill.communicate(timeout=120)
    finally:
        end(drill)
    assert drill.returncode == 130
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def end(drill: subprocess.Popen[str]) -> None:
    """End a drill whose test failed. A killed one would leave its stack running."""
    if drill.poll() is None:
        drill.terminate()
        drill.communicate(timeout=120)


def started_by(pid: int, wanted: str) -> list[psutil.Process]:
    """The descendants of a process; empty until one has the wanted name."""
    found = psutil.Process(pid).children(recursive=True)
    return found if any(is_named(process, wanted) for process in found) else []


def is_named(process: psutil.Process, name: str) -> bool:
    """Whether a process has a name; one that has ended meanwhile has none."""
    with suppress(psutil.NoSuchProcess):
        return process.name() == name
    return False
