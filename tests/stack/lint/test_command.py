"""``tallow lint``: what it prints and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tallow.cli import main
from tallow.stack.dashboards import dashboards, files


def lint(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["lint", *arguments])


def test_shipped_dashboards_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, content in files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    monkeypatch.chdir(tmp_path)
    result = lint()
    assert (result.exit_code, result.output) == (0, "")


def test_a_problem_is_printed_and_exits_with_1(tmp_path: Path) -> None:
    board = json.loads(json.dumps(dashboards()["tallow-overview"]))
    board["panels"][0]["fieldConfig"]["defaults"]["unit"] = "s"
    path = tmp_path / "tallow-overview.json"
    path.write_text(json.dumps(board))
    result = lint(str(path))
    assert result.exit_code == 1
    place = f"tallow-overview.json: {board['panels'][0]['title']}"
    assert result.output == f"{place}: panel/unit: unit 's', but the query yields percentunit\n"


@pytest.mark.parametrize(("content", "said"), [("[", "in JSON"), ("[]", "'panels'"), ("{}", "'panels'")])
def test_a_file_that_is_no_dashboard_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "notes.json"
    path.write_text(content)
    result = lint(str(path))
    assert result.exit_code == 1
    assert "notes.json is not a dashboard" in result.output
    assert said in result.output


def test_nothing_to_check_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = lint()
    assert result.exit_code == 1
    assert "no dashboards in monitoring/grafana" in result.output
