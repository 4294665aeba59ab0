"""Write files that the users of containers read.

They are other users than that of this process. The files have mode 0444, below a folder of mode 0700: a mount
bypasses that folder, other users of this host do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from tallow.monitoring.lifecycle.private_files import drafts, private_folder, write_private

FILE_MODE: Final = 0o444
FOLDER_MODE: Final = 0o755


def write_container_files(root: Path, files: Mapping[Path, str]) -> tuple[Path, ...]:
    """Write files below a folder of mode 0700.

    Args:
        root: the folder; the folders below it get mode 0755.
        files: content by path.

    Returns:
        The files whose content changed.

    Raises:
        OSError: a file cannot be written.
    """
    private_folder(root)
    changed = []
    for path, content in files.items():
        make_container_folder(root, path.parent)
        if write_private(path, content):
            changed.append(path)
        path.chmod(FILE_MODE)
    return tuple(changed)


def make_container_folder(root: Path, folder: Path) -> None:
    """Make a folder below ``root`` that the users of containers can read."""
    parts = folder.relative_to(root).parts
    for depth in range(1, len(parts) + 1):
        one = root.joinpath(*parts[:depth])
        one.mkdir(exist_ok=True)
        one.chmod(FOLDER_MODE)


def remove_files(paths: Iterable[Path]) -> None:
    """Remove files, and drafts of them that a killed process left behind."""
    for path in paths:
        for draft, _ in drafts(path.parent, path.name):
            with suppress(OSError):
                draft.unlink()
        path.unlink(missing_ok=True)
