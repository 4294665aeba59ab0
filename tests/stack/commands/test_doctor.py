"""`tallow doctor`: output, JSON and exit status on an installation that does not run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from support.installation import fresh_installation
from tallow.cli import main
from tallow.stack.commands.doctor import show
from tallow.stack.commands.output.terminal import new_console
from tallow.stack.doctor.model import CheckResult, Diagnosis
from tallow.stack.doctor.native.checks import CHECKS


def doctor(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["doctor", "--home", str(folder / "home"), *arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("doctor")
    fresh_installation(made)
    return made


def test_each_problem_is_shown_with_its_remedy(folder: Path) -> None:
    done = doctor(folder, "--fail-on", "never")
    assert done.exit_code == 0
    lines = [line.strip() for line in done.output.splitlines()]
    at = lines.index("nothing runs")
    assert lines[at - 1] == "error    services: Every service runs and answers"
    assert lines[at + 1].startswith("→ ")
    assert lines[at + 1].endswith(f"up --home {folder / 'home'}")
    assert lines[-1].startswith(f"{len(CHECKS)} checks: ")
    assert "ok       routes: Every alert reaches its receivers" not in lines


def test_json_has_every_check_with_outcome_and_remedy_and_an_error_is_exit_status_1(folder: Path) -> None:
    done = doctor(folder, "--json")
    answer = json.loads(done.output)
    assert done.exit_code == 1
    assert answer["engine"] == "native"
    assert [one["id"] for one in answer["checks"]] == [check.id for check in CHECKS]
    [services] = [one for one in answer["checks"] if one["id"] == "services"]
    assert services["outcome"] == "error"
    assert services["problems"][0].keys() == {"message", "remedy", "severity"}


def test_verbose_shows_what_is_well_and_what_was_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    results = (CheckResult("routes", "All routed"), CheckResult("targets", "All up", skipped="nothing runs"))
    for verbose in (False, True):
        show(new_console(), Diagnosis("native", results), verbose=verbose)
    summary = "2 checks: 1 ok, 1 skipped"
    detail = ["ok       routes: All routed", "skipped  targets: All up", "         nothing runs"]
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [summary, *detail, summary]


def test_an_address_of_another_kind_is_wrong_usage(folder: Path) -> None:
    done = doctor(folder, "--url", "transfer.example.org")
    assert done.exit_code == 2
    assert "accepted: an address that starts with https:// or http://" in done.output


def test_without_a_stack_the_exit_status_is_3(tmp_path: Path) -> None:
    done = doctor(tmp_path)
    assert done.exit_code == 3
    assert done.output.startswith("Error: there is no stack in")
