"""Whether a folder is a stack's state folder, may become one, or belongs to somebody else."""

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
"""Resumable transfers of `send` and `receive`, which use the same default folder; never the stack's."""

_EMPTY_ANYWAY: Final = frozenset({PEER_FOLDER, "lost+found", IGNORE_FILE})


class FolderKind(Enum):
    """What a folder is to the stack."""

    MISSING = "missing"
    EMPTY = "empty"
    STATE = "state"
    FOREIGN = "foreign"


def folder_kind(root: Path) -> FolderKind:
    """What a folder is. Nothing is written.

    A state folder has the marker. Those of earlier versions have none: they have the file of `up`'s options,
    or, if their first `up` failed, all of the stack's folders with the lock that `up` takes. An `up` that was
    interrupted leaves empty folders of the stack's names: such a folder counts as empty. What peers keep
    beside the stack does not count.

    Raises:
        OSError: it is no folder, or it cannot be read.
    """
    if not root.exists():
        return FolderKind.MISSING
    entries = {entry.name for entry in root.iterdir()}
    if _is_file(root / MARKER) or _has_options(root / OPTIONS_FILE) or _failed_first_start(root, entries):
        return FolderKind.STATE
    if all(_says_nothing(root / name) for name in entries):
        return FolderKind.EMPTY
    return FolderKind.FOREIGN


def foreign_entry(root: Path) -> str:
    """The name of an entry that keeps a folder from being empty."""
    return next((entry.name for entry in sorted(root.iterdir()) if not _says_nothing(entry)), "")


def _says_nothing(entry: Path) -> bool:
    draft = entry.name.startswith(f".{MARKER}.")  # of another `up` at this moment
    if draft or entry.name in _EMPTY_ANYWAY:
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
        entries - _EMPTY_ANYWAY == set(FOLDERS)
        and all(_is_folder(root / name) for name in FOLDERS)
        and _is_file(root / "run" / "up.lock")
    )


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
