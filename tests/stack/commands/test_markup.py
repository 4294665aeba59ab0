"""Paths, settings and answers of programs are shown literally: they contain no markup of rich."""

from __future__ import annotations

import io
import os
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from rich.console import Console

from tallow.cli import main
from tallow.stack.commands.output import summary, terminal
from tallow.stack.engines.services.definitions import NAMES
from tallow.stack.engines.services.service_state import ServiceState
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import ProcessStatus, SupervisorStatus
from tallow.stack.heartbeat.state import HeartbeatState

MARKUP = ["[/x]", "[bold red]x[/]", "[link=http://evil.example]x", ":smile:", "[/]"]


@pytest.fixture(params=MARKUP)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    monkeypatch.setenv("COLUMNS", "1000")
    home = StateDir(tmp_path / request.param.replace("/", os.sep))
    home.make()
    home.write_options(StackOptions(port_offset=40_000, env_folder=str(tmp_path)))
    return home


def show(*renderables: object) -> str:
    console = Console(file=io.StringIO(), width=1000, markup=False, emoji=False)
    console.print(*renderables)
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def test_status_shows_the_path_of_a_stack_that_does_not_run(home: StateDir) -> None:
    result = CliRunner().invoke(main, ["status", "--home", str(home.root)])
    assert result.exit_code == 3, result.output
    assert str(home.root) in result.output


def test_status_shows_the_path_of_a_stack_without_supervisor(home: StateDir) -> None:
    orphan = ProcessStatus("running", os.getpid(), psutil.Process().create_time())
    state_files.write_status(home, SupervisorStatus(0, {"tallow": orphan}))
    result = CliRunner().invoke(main, ["status", "--home", str(home.root)])
    assert result.exit_code == 3, result.output
    assert result.output.startswith("the supervisor has ended; tallow run without it")
    assert f"data and logs {home.root}\n" in result.output


def test_down_shows_the_path(home: StateDir) -> None:
    result = CliRunner().invoke(main, ["down", "--home", str(home.root)])
    assert result.output == f"stopped; data is kept in {home.root} (--purge removes it)\n"


@pytest.mark.parametrize("text", [*MARKUP, "\x1b[2J"])
def test_details_of_services_and_heartbeat_are_literal(tmp_path: Path, text: str) -> None:
    from tallow.stack.commands.output.services import native_table

    home = StateDir(tmp_path / "home")
    home.make()
    states = {name: ServiceState("failing", f"answers {text}") for name in NAMES}
    HeartbeatState("missing", 0.0, None, f"because {text}").write(home.data / "heartbeat")
    expected = text.replace("\x1b", "\\x1b")
    assert show(native_table(home, states)).count(f"answers {expected}") == len(NAMES)
    assert f"because {expected} Last beat" in show(summary.heartbeat_status(home))


@pytest.mark.parametrize("text", MARKUP)
def test_a_console_of_the_commands_interprets_no_markup(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.new_console().print(text)
    assert capsys.readouterr().out == f"{text}\n"
