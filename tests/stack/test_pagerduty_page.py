"""The PagerDuty guide: sections, configuration, commands and numbers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from support.programs.debian import program
from tallow.cli import COMMANDS
from tallow.stack.durations import promql_duration
from tallow.stack.routing.matrix import PAGERDUTY_SEVERITIES, RECEIVERS, SEVERITIES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "monitoring" / "alerting" / "pagerduty-integration.md"
TEXT = PAGE.read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_page_has_the_required_sections() -> None:
    assert re.findall(r"^## (.+)$", TEXT, re.MULTILINE) == [
        "Set-up",
        "Keys",
        "Alertmanager examples",
        "Severity mapping",
        "Escalation",
        "Incident workflow",
        "Runbook links",
        "Testing",
        "Troubleshooting",
        "Practices",
    ]


@pytest.mark.parametrize("example", EXAMPLES)
def test_alertmanager_accepts_the_examples(example: str, tmp_path: Path) -> None:
    config = yaml.safe_load(example)
    (tmp_path / "key").write_text("k" * 32)
    for receiver in config["receivers"]:
        for integration in receiver["pagerduty_configs"]:
            integration["routing_key_file"] = str(tmp_path / "key")
    config["route"].setdefault("receiver", config["receivers"][0]["name"])
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    command: list[str | Path] = [program("amtool"), "check-config", tmp_path / "alertmanager.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_example_has_the_shipped_waits() -> None:
    (critical,) = (receiver for receiver in RECEIVERS if receiver.name == "critical-alerts")
    (route,) = yaml.safe_load(EXAMPLES[0])["route"]["routes"]
    waits = route["group_wait"], route["group_interval"], route["repeat_interval"]
    expected = critical.group_wait, critical.group_interval, critical.repeat_interval
    assert waits == tuple(map(promql_duration, expected))


def test_the_severities_are_those_of_rules_and_of_pagerduty() -> None:
    assert tuple(re.findall(r"^\| (critical|warning|info) \| `", TEXT, re.MULTILINE)[:1]) == ("critical",)
    assert all(f"| {severity} | `{severity}` |" in TEXT for severity in SEVERITIES)
    assert all(f"`{severity}`" in TEXT for severity in PAGERDUTY_SEVERITIES)


def test_commands_of_the_page_exist() -> None:
    assert set(re.findall(r"(?:`|^ *)tallow (\w+)", TEXT, re.MULTILINE)) <= set(COMMANDS)


def test_links_of_the_page_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target
