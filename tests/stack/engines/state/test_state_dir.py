"""A stack accepts a folder that is new, empty or its own, and changes nothing in others."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tallow.stack.engines.state.marker import FOLDERS, MARKER, FolderKind, folder_kind, foreign_entry
from tallow.stack.engines.state.state_dir import StackOptions, StateDir, StateDirError


def contents(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """The mode and content of a folder and of everything in it, by path."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in [folder, *folder.rglob("*")]
    }


def of_an_earlier_version(root: Path) -> None:
    for name in FOLDERS:
        (root / name).mkdir(mode=0o700)
    (root / "run" / "up.lock").touch()
    (root / "stack.json").write_text(json.dumps({"port_offset": 10000, "env_folder": "/srv"}))


def whose_first_up_failed(root: Path) -> None:
    of_an_earlier_version(root)
    (root / "stack.json").unlink()


def of_somebody_else(root: Path) -> None:
    (root / "notes.txt").write_text("mine")


def a_checkout(root: Path) -> None:
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")


def a_project_with_the_same_names(root: Path) -> None:
    for name in ("data", "logs", "config"):
        (root / name).mkdir()
    (root / "data" / "thesis.tex").write_text("mine")


def a_file_named_like_a_folder(root: Path) -> None:
    (root / "data").write_text("mine")


def another_programs_stack_json(root: Path) -> None:
    (root / "stack.json").write_text('{"services": []}')


def nothing(_: Path) -> None:
    return


def resumable_transfers(root: Path) -> None:
    (root / "transfers").mkdir()
    (root / "transfers" / "send-1.json").write_text("{}")


def an_interrupted_first_up(root: Path) -> None:
    (root / "secrets").mkdir()
    (root / "config").mkdir()


def a_new_file_system(root: Path) -> None:
    (root / "lost+found").mkdir()


@pytest.mark.parametrize(
    "fill",
    [
        of_somebody_else,
        a_checkout,
        a_project_with_the_same_names,
        a_file_named_like_a_folder,
        another_programs_stack_json,
    ],
)
def test_a_folder_with_other_files_is_rejected_unchanged(
    tmp_path: Path, fill: Callable[[Path], None]
) -> None:
    tmp_path.chmod(0o755)
    fill(tmp_path)
    before = contents(tmp_path)
    assert folder_kind(tmp_path) is FolderKind.FOREIGN
    with pytest.raises(StateDirError, match="holds files that no Tallow stack made, such as") as raised:
        StateDir(tmp_path).make()
    assert repr(foreign_entry(tmp_path)) in str(raised.value)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("fill", [nothing, resumable_transfers, an_interrupted_first_up, a_new_file_system])
def test_an_empty_folder_is_accepted(tmp_path: Path, fill: Callable[[Path], None]) -> None:
    fill(tmp_path)
    assert folder_kind(tmp_path) is FolderKind.EMPTY
    StateDir(tmp_path).make()
    assert folder_kind(tmp_path) is FolderKind.STATE
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize("fill", [of_an_earlier_version, whose_first_up_failed])
def test_state_folders_of_earlier_versions_are_recognised(
    tmp_path: Path, fill: Callable[[Path], None]
) -> None:
    fill(tmp_path)
    assert folder_kind(tmp_path) is FolderKind.STATE
    StateDir(tmp_path).make()
    assert (tmp_path / MARKER).exists()


def test_a_state_folder_with_other_files_still_works(tmp_path: Path) -> None:
    of_somebody_else(tmp_path)
    of_an_earlier_version(tmp_path)
    assert folder_kind(tmp_path) is FolderKind.STATE


def test_the_marker_is_written_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of an `up` that was killed is recognised."""

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    home = StateDir(tmp_path / "home")
    monkeypatch.setattr("tallow.stack.engines.state.state_dir.StateDir._make_folders", killed)
    with pytest.raises(KeyboardInterrupt):
        home.make()
    assert folder_kind(home.root) is FolderKind.STATE
    monkeypatch.undo()
    home.make()


def test_making_the_folder_twice_changes_nothing(tmp_path: Path) -> None:
    home = StateDir(tmp_path / "home")
    home.make()
    before = contents(home.root)
    home.make()
    assert contents(home.root) == before


@pytest.mark.parametrize("name", ["/", "~"])
def test_the_file_system_root_and_the_home_folder_are_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(
        StateDirError, match=r"name a folder inside it|holds files that no|belongs to another user"
    ):
        StateDir.at(Path(name)).make()
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_to_the_home_folder_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "user").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "user")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    with pytest.raises(StateDirError, match="name a folder inside it"):
        StateDir(tmp_path / "link").make()


def test_a_symbolic_link_to_an_empty_folder_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    StateDir(tmp_path / "link").make()
    assert (tmp_path / "disk" / MARKER).exists()


def test_a_broken_link_is_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StateDirError, match=r"cannot be made: .*; name another with --home"):
        StateDir(tmp_path / "link").make()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_folder_of_another_user_is_rejected(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(StateDirError, match=r"belongs to another user \(uid 12345\)"):
        StateDir(tmp_path).make()
    assert list(tmp_path.iterdir()) == []


def test_a_state_folder_in_a_repository_is_ignored_by_git(tmp_path: Path) -> None:
    StateDir(tmp_path / "state").make()
    assert (tmp_path / "state" / ".gitignore").read_text() == "*\n"


def test_options_of_another_version_are_read(tmp_path: Path) -> None:
    home = StateDir(tmp_path / "home")
    home.make()
    home.options_file.write_text('{"port_offset": 7, "env_folder": "/srv", "from_the_future": 1}')
    assert home.options() == StackOptions(7, "/srv")


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_unreadable_options_are_a_one_line_error(tmp_path: Path, content: str) -> None:
    home = StateDir(tmp_path / "home")
    home.make()
    home.options_file.write_text(content)
    with pytest.raises(StateDirError, match="remove it and run: tallow up"):
        home.options()


def test_a_user_without_a_home_folder_gets_a_one_line_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as the user of a container that has no entry in the password database."""
    for name in ("TALLOW_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(*_: object) -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(
        StateDirError, match="this user has no home folder; name the stack's folder with --home"
    ):
        StateDir.at()


def test_a_relative_xdg_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TALLOW_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    assert StateDir.at().root == tmp_path / ".local/state/tallow"
