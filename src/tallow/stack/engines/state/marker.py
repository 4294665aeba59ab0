"""Tell a stack's state folder from an empty folder and from folders with other files."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Final

MARKER: Final = ".tallow-state"
MARKER_TEXT: Final = """\
This folder is the state folder of a Tallow stack, made by `tallow up`.
`tallow down --purge` removes what the stack made here, by name, and nothing else.
"""
IGNORE_FILE: Final = ".gitignore"
IGNORE_TEXT: Final = "*\n"
"""Keeps a state folder inside a repository, with its secrets, out of commits."""
OPTIONS_FILE: Final = "stack.json"
FOLDERS: Final = ("secrets", "config", "data", "logs", "run")
PEER_FOLDER: Final = "transfers"
"""Resumable transfers of `send` and `receive`, in the same default folder. The stack never touches it."""

_IGNORED: Final = frozenset({PEER_FOLDER, "lost+found", IGNORE_FILE})


class FolderKind(Enum):
    """The kinds of folders that a state folder can be requested in."""

    MISSING = "missing"
    EMPTY = "empty"
    STATE = "state"
    FOREIGN = "foreign"


def folder_kind(root: Path) -> FolderKind:
    """The kind of a folder. Nothing is written.

    A state folder has the marker. State folders of earlier versions have none: they have the file with the
    options of `up`, or, if their first `up` failed, all folders of a stack and the lock of `up`. A folder
    with nothing but empty
    folders of a stack counts as empty: an interrupted `up` leaves them. Files of peers are ignored.

    Raises:
        OSError: it is no folder, or it cannot be read.
    """
    if not root.exists():
        return FolderKind.MISSING
    entries = {entry.name for entry in root.iterdir()}
    if _is_file(root / MARKER) or _has_options(root / OPTIONS_FILE) or _failed_first_start(root, entries):
        return FolderKind.STATE
    if all(_is_ignored(root / name) for name in entries):
        return FolderKind.EMPTY
    return FolderKind.FOREIGN


def foreign_entry(root: Path) -> str:
    """The name of an entry that no stack made; empty if there is none."""
    return next((entry.name for entry in sorted(root.iterdir()) if not _is_ignored(entry)), "")


def _is_ignored(entry: Path) -> bool:
    is_draft = entry.name.startswith(f".{MARKER}.")  # of an `up` that runs at this moment
    if is_draft or entry.name in _IGNORED:
        return True
    return entry.name in FOLDERS and _is_folder(entry) and not any(entry.iterdir())


def _has_options(file: Path) -> bool:
    if not _is_file(file):
        return False
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(found, dict) and {"port_offset", "env_folder"} <= found.keys()


def _failed_first_start(root: Path, entries: set[str]) -> bool:
    return (
        entries - _IGNORED == set(FOLDERS)
        and all(_is_folder(root / name) for name in FOLDERS)
        and _is_file(root / "run" / "up.lock")
    )


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
