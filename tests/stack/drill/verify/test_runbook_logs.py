"""The log commands of runbooks: found, valid, and shown to print a record."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from tallow.stack import alerts
from tallow.stack.commands.logs import command
from tallow.stack.drill.verify.runbook_logs import (
    CauseRecord,
    DrillLogs,
    commands_without_output,
    leads_to,
    log_commands,
    printed_lines,
)

ALERTS = [rule.name for rules in alerts.GROUPS.values() for rule in rules]
FAULT = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()


def write(path: Path, *records: dict[str, object]) -> None:
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))


def record(second: int, level: str = "warning", logger: str = "crypto") -> dict[str, object]:
    at = datetime.fromtimestamp(FAULT + second, UTC).isoformat().replace("+00:00", "Z")
    return {"timestamp": at, "level": level, "logger": logger, "message": "Key exchange failed"}


def logs_in(folder: Path) -> DrillLogs:
    return DrillLogs(folder / "server.log", folder, FAULT)


@pytest.mark.parametrize("alert", ALERTS)
def test_a_log_command_of_a_runbook_has_options_that_exist(alert: str) -> None:
    for line in log_commands(alert):
        assert command.make_context("logs", [*shlex.split(line)[2:], "--home", "."]).params["services"]


def test_commands_are_found_in_blocks_and_without_redirection() -> None:
    assert log_commands("ServiceDown") == [
        "tallow logs tallow supervisor --since 15m --lines 50",
        "tallow logs tallow --since 1h --json",
    ]


@pytest.mark.parametrize(
    ("records", "silent"),
    [
        ([record(1)], False),
        ([record(-1)], True),
        ([record(1, logger="api")], True),
        ([record(1, level="info")], True),
        ([], True),
    ],
)
def test_a_record_of_the_fault_is_needed(
    tmp_path: Path, records: list[dict[str, object]], silent: bool
) -> None:
    write(tmp_path / "server.log", *records)
    found = commands_without_output("HighPQCFailureRate", logs_in(tmp_path))
    assert bool(found) is silent


def test_any_line_of_a_dead_server_is_enough_without_a_filter(tmp_path: Path) -> None:
    write(tmp_path / "server.log", record(-100, "info"))
    assert commands_without_output("ServiceDown", logs_in(tmp_path)) == []


def critical(second: int = 1, *, level: str = "fatal", **changed: object) -> dict[str, object]:
    """The record of a database that is locked."""
    error = {"type": "StoreError", "message": "the database failed", "stack": "…: database is locked"}
    fields = {"error_type": "storage", "severity": "critical", "error": error}
    return record(second, level, "api") | fields | changed


CAUSE = CauseRecord({"error_type": "storage", "severity": "critical"}, error="database is locked")


def test_the_record_of_the_cause_is_found(tmp_path: Path) -> None:
    write(tmp_path / "server.log", record(1, "fatal"), critical(), record(2, "fatal"))
    assert leads_to("CriticalErrors", CAUSE, logs_in(tmp_path))


@pytest.mark.parametrize(
    "other",
    [
        critical(error=None),  # a summary of repeated records has no exception
        critical(error={"type": "StoreError", "message": "the disk is full", "stack": ""}),
        critical(error_type="crypto"),
        critical(severity="high"),
        critical(level="warning"),  # the runbook's commands print levels from error
        critical(-1),  # before the fault
    ],
)
def test_another_record_does_not_lead_to_the_cause(tmp_path: Path, other: dict[str, object]) -> None:
    write(tmp_path / "server.log", record(1, "fatal"), other)
    assert not leads_to("CriticalErrors", CAUSE, logs_in(tmp_path))


def test_only_as_many_lines_count_as_the_command_prints(tmp_path: Path) -> None:
    write(tmp_path / "server.log", critical(1), *(record(2, "fatal") for _ in range(60)))
    assert len(printed_lines("tallow logs tallow --level fatal --lines 20", logs_in(tmp_path))) == 20
    assert not leads_to("CriticalErrors", CAUSE, logs_in(tmp_path))
