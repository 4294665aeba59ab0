"""``tallow logs`` for people: a line shows what distinguishes it; ``--json`` shows the line as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallow.stack.commands.logs import command
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

RECORD = {
    "timestamp": "2026-01-31T12:00:00.000Z",
    "level": "warning",
    "logger": "transfer",
    "message": "Transfer finished",
    "service": "tallow",
    "environment": "production",
    "version": "1.2.3",
    "outcome": "failed",
}


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    home = StateDir(tmp_path / "home")
    home.make()
    home.write_options(StackOptions())
    (home.logs / "tallow.log").write_text(json.dumps(RECORD) + "\n")
    return home


def shown(home: StateDir, *options: str) -> str:
    return CliRunner().invoke(command, ["tallow", "--home", str(home.root), *options]).output


def test_fields_that_every_line_has_are_left_out(home: StateDir) -> None:
    output = shown(home)
    assert "Transfer finished logger=transfer outcome=failed" in output
    assert "production" not in output
    assert "1.2.3" not in output


def test_json_shows_all_fields(home: StateDir) -> None:
    assert json.loads(shown(home, "--json")) == RECORD


@pytest.mark.parametrize(("logger", "lines"), [("transfer", 1), ("security", 0)])
def test_a_logger_is_selected(home: StateDir, logger: str, lines: int) -> None:
    assert len(shown(home, "--logger", logger).splitlines()) == lines
