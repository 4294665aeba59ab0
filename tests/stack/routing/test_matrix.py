"""The routes, evaluated by amtool."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest
import yaml

from support.programs.debian import program
from tallow.stack import routing
from tallow.stack.alerts import RULES, Rule
from tallow.stack.routing import matrix

MATRIX = {
    ("critical", "availability"): "critical-alerts",
    ("critical", "monitoring"): "critical-alerts",
    ("critical", "performance"): "critical-alerts",
    ("critical", "database"): "critical-alerts",
    ("critical", "caching"): "critical-alerts",
    ("critical", "transfers"): "critical-alerts",
    ("critical", "connections"): "critical-alerts",
    ("critical", "security"): "critical-alerts,security-alerts",
    ("warning", "availability"): "default",
    ("warning", "monitoring"): "default",
    ("warning", "performance"): "performance-alerts",
    ("warning", "database"): "performance-alerts",
    ("warning", "caching"): "performance-alerts",
    ("warning", "transfers"): "transfer-alerts",
    ("warning", "connections"): "connection-alerts",
    ("warning", "security"): "security-alerts",
    **{
        ("info", category): "daily-digest"
        for category in (
            "availability",
            "monitoring",
            "performance",
            "database",
            "caching",
            "transfers",
            "connections",
            "security",
        )
    },
}

WAITS = {
    "default": ("30s", "5m", "4h"),
    "critical-alerts": ("10s", "5m", "1h"),
    "performance-alerts": ("30s", "10m", "12h"),
    "security-alerts": ("10s", "5m", "2h"),
    "transfer-alerts": ("30s", "5m", "4h"),
    "connection-alerts": ("30s", "5m", "4h"),
    "heartbeat": ("0s", "1m", "1m"),
}


@pytest.fixture(scope="module", params=["alertmanager.yml", "alertmanager-all-channels.yml"])
def config(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = routing.files()[PurePosixPath("monitoring/alerting") / request.param]
    path: Path = tmp_path_factory.mktemp("alertmanager") / request.param
    path.write_text(content)
    return path


def receivers(config: Path, **labels: str) -> str:
    """The receivers of an alert with these labels, by `amtool`."""
    command: list[str | Path] = [program("amtool"), "config", "routes", "test", f"--config.file={config}"]
    command += [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(("severity", "category"), MATRIX)
def test_an_alert_reaches_the_receivers_of_its_severity_and_category(
    config: Path, severity: str, category: str
) -> None:
    labels = {"alertname": "Any", "severity": severity, "category": category, "service": "tallow"}
    assert receivers(config, **labels) == MATRIX[severity, category]


@pytest.mark.parametrize(("severity", "category"), MATRIX)
def test_receivers_agree_with_alertmanagers_routing(severity: str, category: str) -> None:
    reached = matrix.receivers({"severity": severity, "category": category})
    assert ",".join(receiver.name for receiver in reached) == MATRIX[severity, category]


def test_watchdog_reaches_only_the_heartbeat_receiver() -> None:
    labels = {"alertname": "Watchdog", **RULES["Watchdog"].render().labels}
    assert [receiver.name for receiver in matrix.receivers(labels)] == ["heartbeat"]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_reaches_the_receivers_of_its_labels(config: Path, rule: Rule) -> None:
    expected = "heartbeat" if rule.name == "Watchdog" else MATRIX[rule.severity, rule.category]
    assert receivers(config, alertname=rule.name, **rule.render().labels) == expected


def test_waits_match_the_contract(config: Path) -> None:
    tree = yaml.safe_load(config.read_text())["route"]
    for step in (tree, *tree["routes"]):
        if step["receiver"] != "daily-digest":
            pace = step["group_wait"], step["group_interval"], step["repeat_interval"]
            assert pace == WAITS[step["receiver"]]


def test_the_digest_is_one_group_flushed_daily_and_repeated_at_every_flush(config: Path) -> None:
    tree = yaml.safe_load(config.read_text())["route"]
    (digest,) = (step for step in tree["routes"] if step["receiver"] == "daily-digest")
    assert digest["group_by"] == ["service"]
    assert digest["group_interval"] == "24h"
    assert digest["repeat_interval"] == "23h"


def test_alertmanager_accepts_the_configuration(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    for name, content in routing.templates().items():
        (folder / name).write_text(content)
    local = tmp_path / "alertmanager.yml"
    local.write_text(config.read_text().replace("/etc/alertmanager/templates", str(folder)))
    command: list[str | Path] = [program("amtool"), "check-config", local]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 templates" in done.stdout


def test_every_integration_sends_resolved_alerts(config: Path) -> None:
    for receiver in yaml.safe_load(config.read_text())["receivers"]:
        for key, integrations in receiver.items():
            if key.endswith("_configs"):
                assert all(integration["send_resolved"] is True for integration in integrations)
