"""`tallow generate` writes the committed files and lists those that are out of date."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from tallow.cli import generate
from tallow.cli.generate import command

ROOT = Path(__file__).parents[2]


def test_committed_files_are_up_to_date() -> None:
    assert generate.stale(ROOT) == []


def test_a_changed_file_is_named_and_rewritten(tmp_path: Path) -> None:
    generate.write(tmp_path)
    rules = tmp_path / "monitoring/alerting/prometheus-rules.yml"
    rules.write_text(rules.read_text() + "# by hand\n")
    checked = CliRunner().invoke(command, ["--check", "--root", str(tmp_path)])
    assert checked.exit_code == 1
    assert checked.output.startswith("monitoring/alerting/prometheus-rules.yml is out of date")
    written = CliRunner().invoke(command, ["--root", str(tmp_path)])
    assert written.output == "wrote monitoring/alerting/prometheus-rules.yml\n"
    assert CliRunner().invoke(command, ["--check", "--root", str(tmp_path)]).exit_code == 0


def test_outside_a_repository_there_is_an_error(tmp_path: Path) -> None:
    refused = CliRunner().invoke(command, ["--root", str(tmp_path)])
    assert refused.exit_code == 1
    assert "no folder monitoring/" in refused.output
    assert list(tmp_path.iterdir()) == []
