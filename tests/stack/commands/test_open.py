"""`tallow open` prints the address and starts a browser if there is one."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallow.stack.commands.open import command
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

ADDRESS = "http://localhost:13001/\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder, on a machine without a desktop and without a browser."""
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    made = StateDir(tmp_path / "stack")
    made.make()
    made.write_options(StackOptions(port_offset=10_000))
    return made.root


def opener(home: Path, script: str) -> Path:
    """An xdg-open that runs a script with the address as $1 and a file for its output as $SEEN."""
    seen = home.parent / "seen"
    program = home.parent / "bin" / "xdg-open"
    program.write_text(f"#!/bin/sh\nSEEN={seen}\n{script}\n")
    program.chmod(0o755)
    return seen


def opened(home: Path) -> tuple[str, str]:
    done = CliRunner().invoke(command, ["dashboards", "--home", str(home)])
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_without_a_desktop_the_address_is_printed_and_nothing_is_started(home: Path) -> None:
    seen = opener(home, 'echo "$1" > "$SEEN"')  # a text browser behind it would take the terminal
    out, output = opened(home)
    assert out == ADDRESS
    assert "open the address yourself" in output
    assert not seen.exists()


@pytest.mark.parametrize("script", [None, "echo no browser is installed >&2; exit 3"])
def test_on_a_desktop_without_a_browser_the_address_is_printed(
    home: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    if script is None:
        monkeypatch.setenv("PATH", str(home.parent / "bin"))
    else:
        opener(home, script)
    out, output = opened(home)
    assert out == ADDRESS
    assert output.splitlines() == ["no browser could be started here; open the address yourself"]


# An opener that stays is left running on purpose; the interpreter would say so only in development mode.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <function Popen.__del__")
@pytest.mark.parametrize("stays", ["", "exec sleep 30"])
def test_on_a_desktop_the_browser_gets_the_address(
    home: Path, monkeypatch: pytest.MonkeyPatch, stays: str
) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr("tallow.stack.commands.open.OPENER_TIMEOUT_S", 0.5)
    pid = home.parent / "pid"
    seen = opener(home, f'echo "$1" > "$SEEN"; echo $$ > {pid}; {stays}')
    try:
        assert opened(home) == (ADDRESS, "")
        assert seen.read_text() == ADDRESS
    finally:
        if stays:
            os.kill(int(pid.read_text()), signal.SIGKILL)


def test_the_browser_of_the_environment_is_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = home.parent / "seen"
    program = home.parent / "bin" / "our-browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(program))
    monkeypatch.setattr("webbrowser._tryorder", None)  # it reads BROWSER once in a process
    assert opened(home) == (ADDRESS, "")
    deadline = time.monotonic() + 30
    while not seen.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert seen.read_text() == ADDRESS
