"""`tallow generate` writes what is committed, and says what is not current."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from tallow.cli import generate
from tallow.cli.generate import command

ROOT = Path(__file__).parents[2]


def test_what_is_committed_is_what_the_code_says() -> None:
    assert generate.stale(ROOT) == []


def test_a_changed_file_is_named_and_written_anew(tmp_path: Path) -> None:
    generate.write(tmp_path)
    rules = tmp_path / "monitoring/alerting/prometheus-rules.yml"
    rules.write_text(rules.read_text() + "# by hand\n")
    checked = CliRunner().invoke(command, ["--check", "--root", str(tmp_path)])
    assert checked.exit_code == 1
    assert checked.output.startswith("monitoring/alerting/prometheus-rules.yml is out of date")
    written = CliRunner().invoke(command, ["--root", str(tmp_path)])
    assert written.output == "wrote monitoring/alerting/prometheus-rules.yml\n"
    assert CliRunner().invoke(command, ["--check", "--root", str(tmp_path)]).exit_code == 0


def test_elsewhere_than_in_a_repository_it_says_so(tmp_path: Path) -> None:
    refused = CliRunner().invoke(command, ["--root", str(tmp_path)])
    assert refused.exit_code == 1
    assert "no folder monitoring/" in refused.output
    assert list(tmp_path.iterdir()) == []
