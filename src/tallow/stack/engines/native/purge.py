"""Remove the files that a stack made in its state folder, by name; other files are kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tallow.monitoring.lifecycle.private_files import drafts, private_folder
from tallow.stack.engines.native import layout
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.marker import (
    FOLDERS,
    IGNORE_FILE,
    IGNORE_TEXT,
    PEER_FOLDER,
    FolderKind,
    folder_kind,
)
from tallow.stack.engines.state.state_dir import StateDir, StateDirError, is_protected
from tallow.stack.engines.supervisor import state_files


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """What a purge kept.

    Attributes:
        foreign: entries that the stack did not make, relative to its folder.
        has_transfers: whether resumable transfers of peers are still there.
    """

    foreign: tuple[Path, ...] = ()
    has_transfers: bool = False


def purge(home: StateDir) -> PurgeResult:
    """Remove data, logs, configuration and credentials of a stopped stack, and its folder if it is then
    empty.

    The names are those of :mod:`tallow.stack.engines.native.layout`. Symbolic links are neither followed nor
    removed. The marker is removed last, so that an interrupted purge can be repeated.

    Raises:
        StateDirError: the folder is no state folder, a stack runs in it, or a file could not be removed.
    """
    kind = folder_kind(home.root)
    if kind is FolderKind.MISSING:
        return PurgeResult()
    if kind is not FolderKind.STATE:
        raise StateDirError(f"{home.root} is not the state folder of a Tallow stack; nothing was removed")
    private_folder(home.run)  # for the lock: an interrupted `up` may have made the marker only
    with locked(home, "up"):
        if state_files.supervisor_pid(home):
            raise StateDirError(
                f"a stack runs in {home.root}; nothing was removed; stop it with: tallow down"
            )
        failures = _remove_contents(home.root)
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise StateDirError(
            f"not everything could be removed: {failures[0]}{more}; fix that and run it again"
        )
    return _remove_identity(home.root)


def _remove_contents(root: Path) -> list[str]:
    """Remove files, then folders; return the failures, one line each."""
    failures = []
    for name in (*layout.FILES, *layout.TREES):
        try:
            _remove(root / name)
        except OSError as error:
            failures.append(f"{error.filename or root / name}: {error.strerror or error}")
    for name in layout.EMPTIED:
        _remove_if_empty(root / name)
    return failures


def _remove(path: Path) -> None:
    if path.is_symlink():
        return
    if path.is_dir():
        shutil.rmtree(path)
    else:
        for draft, _ in drafts(path.parent, path.name):
            draft.unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir() or any(folder.iterdir()):
        return
    folder.rmdir()


def _remove_identity(root: Path) -> PurgeResult:
    if _is_ours(root / IGNORE_FILE):
        (root / IGNORE_FILE).unlink()
    for name in layout.IDENTITY:
        _remove(root / name)
    remains = PurgeResult(tuple(_foreign(root)), (root / PEER_FOLDER).exists())
    if root.is_symlink() or is_protected(root) or any(root.iterdir()):
        return remains
    with suppress(OSError):  # a mount point, or another user's parent folder: an empty folder stays
        root.rmdir()
    return remains


def _is_ours(ignore_file: Path) -> bool:
    return ignore_file.is_file() and ignore_file.read_bytes() == IGNORE_TEXT.encode()


def _foreign(root: Path) -> Iterator[Path]:
    """What is left: entries of the folder, and entries of the stack's folders in it."""
    for entry in sorted(root.iterdir()):
        if entry.name in FOLDERS and entry.is_dir() and not entry.is_symlink():
            yield from (inner.relative_to(root) for inner in sorted(entry.iterdir()))
        elif entry.name != PEER_FOLDER:
            yield entry.relative_to(root)
