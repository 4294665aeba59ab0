"""The log commands of runbooks: found, valid, and shown to print a record."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from tallow.stack import alerts
from tallow.stack.commands.logs import command
from tallow.stack.drill.verify.runbook_logs import commands_without_output, log_commands

ALERTS = [rule.name for rules in alerts.GROUPS.values() for rule in rules]
FAULT = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()


def write(path: Path, *records: dict[str, object]) -> None:
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))


def record(second: int, level: str = "warning", logger: str = "crypto") -> dict[str, object]:
    at = datetime.fromtimestamp(FAULT + second, UTC).isoformat().replace("+00:00", "Z")
    return {"timestamp": at, "level": level, "logger": logger, "message": "Key exchange failed"}


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
    found = commands_without_output("HighPQCFailureRate", tmp_path / "server.log", tmp_path, FAULT)
    assert bool(found) is silent


def test_any_line_of_a_dead_server_is_enough_without_a_filter(tmp_path: Path) -> None:
    write(tmp_path / "server.log", record(-100, "info"))
    assert commands_without_output("ServiceDown", tmp_path / "server.log", tmp_path, FAULT) == []
