"""The documents for operators agree with the definitions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tallow.cli import COMMANDS
from tallow.stack.alerts import RULES
from tallow.stack.docs.summary import page
from tallow.stack.doctor.docker import checks as docker
from tallow.stack.doctor.kubernetes import checks as kubernetes
from tallow.stack.doctor.native.checks import CHECKS
from tallow.stack.engines.services.definitions import SERVICES

MONITORING = Path(__file__).parents[2] / "monitoring"
CHECKLIST = (MONITORING / "PRODUCTION_CHECKLIST.md").read_text("utf-8")
GUIDE = (MONITORING / "README.md").read_text("utf-8")
PAGES = ("README.md", "MONITORING_QUICK_REFERENCE.md", "PRODUCTION_CHECKLIST.md")


def test_every_check_of_doctor_is_an_item_of_the_checklist() -> None:
    items = re.findall(r"^- \[ \] `([a-z-]+)`: ", CHECKLIST, re.MULTILINE)
    assert sorted(items) == sorted(
        {*(one.id for one in CHECKS), *(one.id for one in docker.CHECKS)}
        | {one.id for one in kubernetes.CHECKS}
    )


def test_the_checklist_has_the_sections_of_the_contract() -> None:
    assert re.findall(r"^## (.+)$", CHECKLIST, re.MULTILINE) == [
        *("Before deployment", "Security", "Infrastructure", "Services", "Alerts"),
        *("Performance", "Backup", "Docker", "Kubernetes", "Sign-off"),
    ]


def test_the_guide_has_the_sections_of_the_contract() -> None:
    assert re.findall(r"^## (.+)$", GUIDE, re.MULTILINE) == [
        *("Components", "Quick start", "Metrics", "Logs", "Dashboards", "Alerts", "Integration"),
        *("Docker and Kubernetes", "Upgrade, backup, restore", "Troubleshooting"),
    ]


def test_the_guide_names_the_port_of_each_service() -> None:
    for service in SERVICES:
        assert f"| {service.port} |" in GUIDE, service.name


@pytest.mark.parametrize("name", PAGES)
def test_commands_in_the_text_exist(name: str) -> None:
    text = (MONITORING / name).read_text("utf-8")
    assert set(re.findall(r"`tallow ([a-z]+)", text)) <= set(COMMANDS)


def test_the_summary_counts_what_there_is() -> None:
    assert f"| checks of `tallow doctor`, native stack | {len(CHECKS)} |" in page()
    assert page().count("](../docs/runbooks/") == len(RULES) + 1  # and the folder
