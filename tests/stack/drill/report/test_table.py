"""The table, the JSON and the list of drills."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from rich.console import Console

from tallow.cli import main
from tallow.stack.drill.report.table import drills_table, result_line, summary
from tallow.stack.drill.run.result import DrillResult


@pytest.fixture
def passed() -> DrillResult:
    return DrillResult(
        "ServiceDown",
        "the server is killed",
        "shared",
        1 / 15,
        5.7,
        state="passed",
        started_at=100.0,
        pending_at=101.0,
        firing_at=105.0,
        notified_at=106.5,
        cleared_at=110.0,
        resolved_at=130.0,
        destinations=("pagerduty", "slack"),
    )


@pytest.fixture
def failed(passed: DrillResult) -> DrillResult:
    return DrillResult(
        "SlowTransfers",
        "the path is throttled",
        "shared",
        1 / 15,
        40,
        state="failed",
        problems=["no page came"],
    )


def shown(*things: object) -> str:
    console = Console(width=140, record=True, file=None)
    with console.capture() as capture:
        for thing in things:
            console.print(thing)
    return capture.get()


def test_a_passed_drill_is_a_row_of_seconds(passed: DrillResult) -> None:
    row = next(one for one in shown(drills_table([passed])).splitlines() if "ServiceDown" in one)
    assert row.split()[:8] == ["✔", "ServiceDown", "passed", "1.0", "5.0", "6.5", "5.7", "20.0"]
    assert "pagerduty, slack" in row


def test_a_failed_drill_has_its_problems(passed: DrillResult, failed: DrillResult) -> None:
    output = shown(summary([passed, failed], 75))
    assert "SlowTransfers: the path is throttled" in output
    assert "no page came" in output
    assert "1 of 2 drills failed, in 1 min 15 s" in output
    assert result_line(failed) == "failed  SlowTransfers: no page came"


def test_json_has_seconds_after_the_fault(passed: DrillResult) -> None:
    facts = json.loads(json.dumps(passed.to_json()))
    assert (facts["pending"], facts["page"], facts["resolved"], facts["minimum"]) == (1.0, 6.5, 20.0, 5.7)
    assert facts["passed"]


def test_without_a_name_the_drills_are_listed() -> None:
    message = CliRunner().invoke(main, ["drill"])
    assert message.exit_code == 0
    assert "ServiceDown" in message.output


def test_an_unknown_drill_is_rejected() -> None:
    message = CliRunner().invoke(main, ["drill", "NoSuchAlert"])
    assert message.exit_code == 2
    assert "there is no drill NoSuchAlert" in message.output
