"""Each damage of an installation is found by one check, which names it and its remedy."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.installation import (
    GIGABYTE,
    IS_ROOT,
    Usage,
    edit_yaml,
    fresh_installation,
    inspected,
    problems_of,
    result_of,
)
from tallow.stack.doctor.native.checks import CHECKS
from tallow.stack.doctor.native.machine import Listener
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import (
    ProcessStatus,
    Release,
    SupervisorPlan,
    SupervisorStatus,
)
from tallow.stack.routing.receivers import PAGERDUTY_KEY_FILE

Damage = Callable[[StateDir], object]
NEEDS_A_RUNNING_STACK = {
    *("services", "targets", "alertmanager", "heartbeat", "deliveries", "silences"),
    *("configuration-loaded", "rules-loaded", "samples", "settings", "release"),
}
"""Checked in tests/integration/test_doctor.py."""
NEEDS_A_PUBLIC_ADDRESS = {"certificate", "public-pages", "public-clock"}
"""Checked in test_exposure.py."""


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> StateDir:
    """An installation, and beside it a copy to restore it from: its files contain its path."""
    folder = tmp_path_factory.mktemp("doctor")
    home = fresh_installation(folder / "installation")
    shutil.copytree(folder / "installation", folder / "copy")
    return home


@pytest.fixture
def home(intact: StateDir) -> StateDir:
    folder = intact.root.parent
    shutil.rmtree(folder)
    shutil.copytree(folder.parent / "copy", folder)
    return intact


def alertmanager_file(home: StateDir) -> Path:
    return home.config / "alertmanager" / "alertmanager.yml"


def edit_routes(change: Callable[[list[dict[str, Any]]], object]) -> Damage:
    return lambda home: edit_yaml(alertmanager_file(home), lambda config: change(config["route"]["routes"]))


def remove_receiver_s_channels(home: StateDir) -> None:
    def change(config: dict[str, Any]) -> None:
        [receiver] = [one for one in config["receivers"] if one["name"] == "critical-alerts"]
        for key in [key for key in receiver if key.endswith("_configs")]:
            del receiver[key]

    edit_yaml(alertmanager_file(home), change)


def point_heartbeat_elsewhere(home: StateDir) -> None:
    def change(config: dict[str, Any]) -> None:
        [receiver] = [one for one in config["receivers"] if one["name"] == "heartbeat"]
        receiver["webhook_configs"] = [{"url": "http://127.0.0.1:9/other"}]

    edit_yaml(alertmanager_file(home), change)


def run_old_programs(home: StateDir) -> None:
    old = Release("1", "code", {"prometheus": "2.33.5", "alertmanager": "0.25.0", "node_exporter": "1.5.0"})
    state_files.write_plan(home, SupervisorPlan(release=old))


def edit_rules(home: StateDir) -> None:
    path = home.config / "prometheus" / "rules" / "prometheus-rules.yml"
    path.write_text(path.read_text().replace("severity: critical", "severity: info"))


@dataclass(frozen=True)
class Case:
    """A damage, the check that finds it, and parts of its message and remedy."""

    check: str
    damage: Damage
    message: str
    remedy: str


CASES = {
    "open state folder": Case("state-folder", lambda home: home.root.chmod(0o755), "mode 755", "chmod 700"),
    "open secrets folder": Case(
        "state-folder", lambda home: home.secrets.chmod(0o750), "secrets is open to other users", "chmod 700"
    ),
    "missing folder": Case(
        "state-folder", lambda home: home.logs.rename(home.root / "x"), "logs is missing", "tallow up"
    ),
    "open password": Case(
        "secrets", lambda home: (home.secrets / "monitoring_password").chmod(0o644), "mode 644", "chmod 600"
    ),
    "missing token": Case(
        "secrets",
        lambda home: (home.secrets / "metrics_token").unlink(),
        "metrics token is missing",
        "--restart",
    ),
    "empty token": Case(
        "secrets",
        lambda home: (home.secrets / "metrics_token").write_text(""),
        "is empty",
        "credentials rotate",
    ),
    "another password than the hash's": Case(
        "secrets",
        lambda home: (home.secrets / "monitoring_password").write_text("other"),
        "does not contain the hash",
        "credentials rotate",
    ),
    "missing receiver secret": Case(
        "receiver-secrets",
        lambda home: (home.secrets / "alertmanager" / PAGERDUTY_KEY_FILE).unlink(),
        "routing_key_file in alertmanager.yml names",
        "tallow reload",
    ),
    "newline after a receiver secret": Case(
        "receiver-secrets",
        lambda home: (home.secrets / "alertmanager" / PAGERDUTY_KEY_FILE).write_text("0" * 32 + "\n"),
        "white space",
        "tallow reload",
    ),
    "open .env": Case(
        "env-file", lambda home: (home.root.parent / ".env").chmod(0o640), "mode 640", "chmod 600"
    ),
    "missing route": Case(
        "routes",
        edit_routes(lambda routes: routes.pop(4)),
        "more to critical-alerts",
        "tallow reload",
    ),
    "route that swallows": Case(
        "routes",
        edit_routes(
            lambda routes: routes.insert(1, {"receiver": "default", "matchers": ['service="tallow"']})
        ),
        "more to performance-alerts",
        "tallow reload",
    ),
    "receiver without channels": Case(
        "routes", remove_receiver_s_channels, "critical-alerts notifies nobody", "tallow reload"
    ),
    "Watchdog not routed": Case(
        "watchdog-route",
        edit_routes(lambda routes: routes.pop(0)),
        "Watchdog is not routed to the heartbeat checker",
        "tallow reload",
    ),
    "heartbeat receiver elsewhere": Case(
        "watchdog-route", point_heartbeat_elsewhere, "no webhook to the heartbeat checker", "tallow reload"
    ),
    "stale rules": Case(
        "configuration", edit_rules, "rules/prometheus-rules.yml is not what this version", "tallow reload"
    ),
    "missing configuration": Case(
        "configuration",
        lambda home: alertmanager_file(home).unlink(),
        "alertmanager.yml is missing",
        "tallow reload",
    ),
    "old program": Case("programs", run_old_programs, "prometheus 2.33.5 is too old", "2.42 or later"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_damage_is_named_with_its_remedy(case: Case, home: StateDir) -> None:
    assert problems_of(case.check, inspected(home)) == [], "before the damage"
    case.damage(home)
    found = problems_of(case.check, inspected(home))
    assert [problem for problem in found if case.message in problem.message and case.remedy in problem.remedy]
    assert all(problem.severity == "error" for problem in found)


MACHINES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "full disk": (
        "disk",
        {"disk_usage": lambda _: Usage(100 * GIGABYTE, 95 * GIGABYTE, 5 * GIGABYTE)},
        "has 5 GB of 100 GB left",
        "DiskFilling.md",
    ),
    "disk without room for the retention": (
        "retention",
        {"disk_usage": lambda _: Usage(GIGABYTE, GIGABYTE, 10**7)},
        "30d of samples need",
        "--home",
    ),
    "disk smaller than the retention's limit": (
        "retention",
        {"disk_usage": lambda _: Usage(40 * GIGABYTE, 10 * GIGABYTE, 30 * GIGABYTE)},
        "keeps up to 50GB",
        "--home",
    ),
    "unsynchronised clock": (
        "clock",
        {"is_clock_synchronised": lambda: False},
        "clock is not synchronised",
        "timedatectl",
    ),
    "port open to the network": (
        "ports",
        {"listeners": lambda _: [Listener("tallow", "0.0.0.0", 9), Listener("tallow", "127.0.0.1", 9)]},
        "tallow listens on 0.0.0.0:9, which other machines reach, without TLS",
        "proxy with TLS",
    ),
    "port open to the network over IPv6": (
        "ports",
        {"listeners": lambda _: [Listener("prometheus", "::", 9), Listener("prometheus", "::1", 9)]},
        "prometheus listens on :::9",
        "127.0.0.1",
    ),
}


@pytest.mark.parametrize(("check", "machine", "message", "remedy"), MACHINES.values(), ids=MACHINES.keys())
def test_a_fault_of_the_machine_is_named_with_its_remedy(
    check: str, machine: dict[str, Any], message: str, remedy: str, home: StateDir
) -> None:
    assert problems_of(check, inspected(home)) == []
    [problem] = problems_of(check, inspected(home, **machine))
    assert message in problem.message
    assert remedy in problem.remedy


MISSING_SETTINGS = {
    "nothing set": ({}, "receivers", ["SMTP_HOST is not set", "neither PagerDuty nor Slack is set"]),
    "no pager": ({"SLACK_WEBHOOK_URL": "https://x.example"}, "receivers", ["SMTP_HOST", "a PagerDuty key"]),
    "heartbeat without target": ({}, "heartbeat-target", ["HEARTBEAT_URL is not set"]),
}


@pytest.mark.parametrize(("settings", "check", "messages"), MISSING_SETTINGS.values(), ids=MISSING_SETTINGS)
def test_a_missing_setting_is_a_warning_that_names_it(
    settings: dict[str, str], check: str, messages: list[str], tmp_path: Path
) -> None:
    assert problems_of(check, inspected(fresh_installation(tmp_path / "complete"))) == []
    found = problems_of(check, inspected(fresh_installation(tmp_path / "missing", settings)))
    for problem, message in zip(found, messages, strict=True):
        assert message in problem.message
        assert "in .env, then:" in problem.remedy or "then:" in problem.remedy
        assert problem.severity == "warning"


def test_a_mail_password_that_is_sent_in_clear_is_a_warning(tmp_path: Path) -> None:
    settings = {
        "ALERT_EMAIL_DEFAULT": "a@example.org",
        "SMTP_HOST": "localhost",
        "SMTP_USER": "tallow",
        "SMTP_PASSWORD": "rosebud",
    }
    [problem] = problems_of("mail-encryption", inspected(fresh_installation(tmp_path, settings)))
    assert "sent without encryption" in problem.message
    assert "rosebud" not in problem.message + problem.remedy


@pytest.mark.skipif(not IS_ROOT, reason="only root's stacks run as root")
def test_a_stack_of_root_is_a_warning(home: StateDir) -> None:
    [problem] = problems_of("user", inspected(home))
    assert "runs as root" in problem.message


@pytest.mark.skipif(IS_ROOT, reason="root's stacks run as root")
def test_a_stack_of_another_user_is_no_warning(home: StateDir) -> None:
    assert problems_of("user", inspected(home)) == []


def test_an_unreadable_file_does_not_hide_other_checks(home: StateDir) -> None:
    alertmanager_file(home).write_text("route: [")
    assert (
        result_of("routes", inspected(home)).skipped == "alertmanager.yml cannot be read; see: configuration"
    )
    [problem] = problems_of("configuration", inspected(home))
    assert "alertmanager.yml" in problem.message


def test_without_a_running_stack_one_check_says_so_and_others_are_skipped(home: StateDir) -> None:
    [problem] = problems_of("services", inspected(home))
    assert (problem.message, "up" in problem.remedy) == ("nothing runs", True)
    for check in ("targets", "rules-loaded", "silences", "heartbeat", "samples", "deliveries"):
        assert result_of(check, inspected(home)).skipped == "nothing runs; see: services"


def test_every_check_has_a_damage_that_it_finds() -> None:
    damaged = {
        *(case.check for case in CASES.values()),
        *(check for check, *_ in MACHINES.values()),
        *(check for _, check, _ in MISSING_SETTINGS.values()),
        *("mail-encryption", "user", "open-files"),
    }
    assert damaged | NEEDS_A_RUNNING_STACK | NEEDS_A_PUBLIC_ADDRESS == {check.id for check in CHECKS}


def test_few_open_files_are_a_warning(home: StateDir) -> None:
    own = psutil.Process()
    status = ProcessStatus(state="running", pid=own.pid, born=own.create_time())
    state_files.write_status(home, SupervisorStatus(services={"tallow": status}))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        [problem] = problems_of("open-files", inspected(home))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert problem.message == "tallow may open 1024 files and connections"
    assert "ulimit -n 4096" in problem.remedy
