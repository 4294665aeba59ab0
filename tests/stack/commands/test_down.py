"""`tallow down --purge` asks on a terminal, names the files it keeps, and rejects other folders."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tallow.cli import main
from tallow.stack.engines.state.marker import FolderKind, folder_kind
from tallow.stack.engines.state.state_dir import StackOptions, StateDir


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    """A stopped stack."""
    made = StateDir(tmp_path / "home")
    made.make()
    made.write_options(StackOptions())
    return made


def down(home: StateDir, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["down", *arguments, "--home", str(home.root)])


def on_a_terminal(home: StateDir, answer: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a terminal as standard input, on which an answer was typed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tallow", "down", *arguments, "--home", str(home.root)]
    try:
        os.write(ours, answer.encode())
        return subprocess.run(command, check=False, stdin=theirs, capture_output=True, text=True, timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)


def test_on_a_terminal_no_changes_nothing(home: StateDir) -> None:
    done = on_a_terminal(home, "n\n", "--purge")
    assert done.returncode == 1
    assert f"the stack in {home.root}" in done.stderr
    assert "Remove them? [y/N]" in done.stderr
    assert folder_kind(home.root) is FolderKind.STATE


def test_on_a_terminal_yes_purges(home: StateDir) -> None:
    done = on_a_terminal(home, "y\n", "--purge")
    assert done.returncode == 0, done.stderr
    assert not home.root.exists()


def test_the_option_yes_skips_the_question(home: StateDir) -> None:
    done = on_a_terminal(home, "", "--purge", "--yes")
    assert done.returncode == 0, done.stderr
    assert "Remove them?" not in done.stderr
    assert not home.root.exists()


def test_without_a_terminal_there_is_no_question(home: StateDir) -> None:
    assert down(home, "--purge").output == "stopped; everything of the stack removed\n"
    again = down(home, "--purge")
    assert (again.exit_code, again.output) == (0, f"nothing to stop in {home.root}\n")


def test_kept_files_are_named(home: StateDir) -> None:
    for number in range(7):
        (home.root / f"photo{number}.jpg").touch()
    (home.root / "transfers").mkdir()
    message = down(home, "--purge").output
    assert (
        "not made by the stack: photo0.jpg, photo1.jpg, photo2.jpg, photo3.jpg, photo4.jpg and 2 more"
        in message
    )
    assert "transfers that can be resumed" in message
    assert len(list(home.root.iterdir())) == 8


def test_without_purge_everything_is_kept(home: StateDir) -> None:
    assert down(home).output == f"stopped; data is kept in {home.root} (--purge removes it)\n"
    assert folder_kind(home.root) is FolderKind.STATE


def test_a_folder_with_other_files_is_not_purged(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused = down(StateDir(tmp_path), "--purge")
    assert refused.exit_code == 1
    assert "is not the state folder of a Tallow stack; nothing was removed" in refused.output
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_with_transfers_only_is_no_stack(tmp_path: Path) -> None:
    (tmp_path / "transfers").mkdir()
    done = down(StateDir(tmp_path), "--purge")
    assert (done.exit_code, done.output) == (0, f"nothing to stop in {tmp_path}\n")


def test_a_rejected_up_changes_nothing_in_the_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").write_text("mine")
    refused = CliRunner().invoke(main, ["up", "--home", str(tmp_path)])
    assert refused.exit_code == 1
    assert "holds files that no Tallow stack made, such as 'notes.txt'" in refused.output
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "--json"],
        ["logs"],
        ["reload"],
        ["inbox"],
        ["open", "dashboards"],
        ["credentials"],
        ["credentials", "rotate"],
        ["alerts"],
        ["silence", "list"],
        ["query", "up"],
        ["down"],
        ["down", "tallow"],
        ["down", "--purge"],
    ],
)
def test_no_command_changes_a_folder_with_other_files(tmp_path: Path, arguments: list[str]) -> None:
    for name in ("run", "secrets", "logs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    CliRunner().invoke(main, [*arguments, "--home", str(tmp_path)])
    assert sorted(tmp_path.rglob("*")) == before
