"""`tallow size`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from tallow.cli import main
from tallow.stack.sizing.estimate import Fleet, estimate
from tallow.stack.sizing.measurements import load


def size(*arguments: str) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, ["size", *arguments])


def test_the_figures_of_one_instance_are_the_default() -> None:
    done = size()
    assert done.exit_code == 0
    assert f"{estimate(Fleet(1), load()).series:,}" in done.output
    assert [line.split("  ")[0] for line in done.output.splitlines()][-3:] == [
        "sharding",
        "remote write",
        "recording rules",
    ]


def test_json_has_the_estimate_and_the_topology() -> None:
    found = json.loads(
        size("--instances", "10000", "--interval", "30s", "--retention", "2w", "--json").output
    )
    expected = estimate(Fleet(10_000, 30, 14), load())
    assert found["estimate"]["series"] == expected.series
    assert found["estimate"]["fleet"] == {"instances": 10_000, "interval_seconds": 30, "retention_days": 14}
    assert found["topology"]["sharding"]["needed"] is True
    assert found["topology"]["shards"] > 1


def test_a_number_has_the_unit_of_the_option() -> None:
    assert size("--interval", "30").output == size("--interval", "30s").output
    assert size("--retention", "7").output == size("--retention", "1w").output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--interval", "0"),
        ("--interval", "-5"),
        ("--interval", "301"),
        ("--interval", "10m"),
        ("--interval", "nan"),
        ("--interval", "1e3"),
        ("--interval", "\u0661\u0665"),
        ("--interval", ""),
        ("--interval", "s"),
        ("--retention", "0"),
        ("--retention", "11y"),
        ("--retention", "30 d"),
        ("--instances", "0"),
        ("--instances", "1000001"),
        ("--instances", "many"),
    ],
)
def test_what_is_not_accepted_is_named_in_one_line(arguments: tuple[str, str]) -> None:
    done = size(*arguments)
    assert done.exit_code == 2
    last = done.output.splitlines()[-1]
    assert last.startswith(f"Error: Invalid value for '{arguments[0]}': ")
    assert sum(line.startswith("Error") for line in done.output.splitlines()) == 1


def test_an_interval_that_is_too_long_for_the_rules_is_a_warning() -> None:
    assert "warning: " in size("--interval", "5m").stderr
    assert "warning: " not in size("--interval", "15s").stderr
