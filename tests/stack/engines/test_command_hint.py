"""Commands in hints work as they are shown."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from tallow.stack import credentials
from tallow.stack.commands import options, status
from tallow.stack.commands.output.summary import address_list
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.state.state_dir import StackOptions, StateDir, StateDirError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    """A state folder that is not the default one and whose name needs quoting."""
    monkeypatch.delenv("TALLOW_HOME", raising=False)
    made = StateDir(tmp_path / "our stack")
    made.make()
    made.write_options(StackOptions())
    credentials.create_missing(made.secrets)
    return made


def test_a_hint_works_as_it_is_shown(
    home: StateDir, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Console(width=40).print(address_list(home, 0), soft_wrap=True)
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("credentials")]
    typed = line.removeprefix("credentials").strip()
    shown = subprocess.run(
        ["/bin/sh", "-c", typed],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},  # no virtual environment is active
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert credentials.password(home.secrets) in shown.stdout


def test_the_default_folder_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TALLOW_HOME", raising=False)
    assert "--home" not in command_line(StateDir.at(), "reload")
    monkeypatch.setenv("TALLOW_HOME", "/srv/stack")  # it may be set for one command alone
    assert command_line(StateDir.at(), "reload").endswith(" reload --home /srv/stack")


def test_the_program_is_named_by_its_path_unless_the_shell_finds_it(
    home: StateDir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = Path(sys.executable).with_name("tallow")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shlex.split(command_line(home, "up"))[0] == str(script)
    (tmp_path / "tallow").write_text("#!/bin/sh\n")  # another installation
    (tmp_path / "tallow").chmod(0o755)
    assert shlex.split(command_line(home, "up"))[0] == str(script)
    monkeypatch.setenv("PATH", str(script.parent))
    assert shlex.split(command_line(home, "up"))[0] == "tallow"


def test_the_error_about_a_missing_stack_names_its_folder(home: StateDir, tmp_path: Path) -> None:
    result = CliRunner().invoke(status.command, ["--home", str(home.root)])
    assert f"start it with: {command_line(home, 'up')}\n" in result.output
    missing = StateDir(tmp_path / "missing")
    with pytest.raises(StateDirError) as refused:
        options.require_stack(missing)
    assert str(refused.value).endswith(command_line(missing, "up"))
