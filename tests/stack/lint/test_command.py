"""``tallow lint``: its output and exit status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tallow.cli import main
from tallow.stack.dashboards import dashboards, files

ROOT = Path(__file__).parents[3]


def lint(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["lint", *arguments])


@pytest.mark.slow
def test_committed_files_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert beside_drills(lint()) == ""


def beside_drills(result: Result) -> str:
    """The output without problems about drills, which the tests of the drills check."""
    return "".join(line for line in result.output.splitlines(True) if "alert/drill" not in line)


@pytest.mark.slow
def test_alert_without_a_runbook_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, content in files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    pages = tmp_path / "docs" / "runbooks"
    shutil.copytree(ROOT / "docs" / "runbooks", pages)
    (pages / "HighCPUUsage.md").unlink()
    monkeypatch.chdir(tmp_path)
    result = lint()
    expected = "prometheus-rules.yml: HighCPUUsage: alert/runbook: no page docs/runbooks/HighCPUUsage.md\n"
    assert (result.exit_code, beside_drills(result)) == (1, expected)


def test_a_problem_is_printed_and_exits_with_1(tmp_path: Path) -> None:
    board = json.loads(json.dumps(dashboards()["tallow-overview"]))
    board["panels"][0]["fieldConfig"]["defaults"]["unit"] = "s"
    path = tmp_path / "tallow-overview.json"
    path.write_text(json.dumps(board))
    result = lint(str(path))
    assert result.exit_code == 1
    place = f"tallow-overview.json: {board['panels'][0]['title']}"
    assert result.output == f"{place}: panel/unit: unit 's', but the query yields percentunit\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[", "in JSON"),
        ("[]", "'panels'"),
        ("{}", "'panels'"),
        ('{"panels": []}', "'templating' is missing"),
        ('{"panels": [{}], "templating": {"list": []}}', "is missing"),
        ('{"panels": 1, "templating": {"list": []}}', "a value has the wrong type"),
        ('{"panels": [], "templating": []}', "a value has the wrong type"),
    ],
)
def test_file_that_is_not_a_dashboard_is_named(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "notes.json"
    path.write_text(content)
    result = lint(str(path))
    assert result.exit_code == 1
    assert "notes.json is not a dashboard" in result.output
    assert expected in result.output


def test_nothing_to_check_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = lint()
    assert result.exit_code == 1
    assert "no dashboards in monitoring/grafana" in result.output
