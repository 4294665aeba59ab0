"""Files and folders that only the current user may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700


def private_folder(path: Path) -> None:
    """Make a folder and its missing parents, each with mode 0700.

    Raises:
        OSError: a folder cannot be made.
    """
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)


def write_private(path: Path, content: str | bytes, *, durable: bool = True) -> bool:
    """Replace a file with a new one of mode 0600, in one step: a reader sees the old or the new content.

    Args:
        content: text is written as UTF-8.
        durable: wait until the content is on the disk, so that it also survives a power failure.

    Returns:
        Whether the content changed. A private file that has this content already is not written again.

    Raises:
        OSError: the file cannot be written; the old one is unchanged.
    """
    data = content.encode() if isinstance(content, str) else content
    changed = not _has_content(path, data)
    if not changed and _is_private(path):
        return False
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        # O_EXCL: no symbolic link is followed in a folder that others can write to.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return changed


def append_private(path: Path) -> int:
    """Open a file of mode 0600 for appending, and make it if it is missing.

    Returns:
        The file descriptor, which the caller closes.

    Raises:
        OSError: the file cannot be opened.
    """
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)


def drafts(folder: Path, name: str = "*") -> Iterator[tuple[Path, int]]:
    """The drafts that :func:`write_private` made in a folder, each with the id of its process.

    A draft stays behind when its process is killed.

    Args:
        name: of the file, or a pattern for several.
    """
    for draft in folder.glob(f".{name}.*"):
        pid = draft.suffix[1:]
        if pid.isascii() and pid.isdecimal():
            yield draft, int(pid)


def _has_content(path: Path, data: bytes) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError):
        return path.read_bytes() == data
    return False


def _is_private(path: Path) -> bool:
    return path.lstat().st_mode == stat.S_IFREG | FILE_MODE
