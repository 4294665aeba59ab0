"""Whether a folder takes data: a full disk lets files be created, and refuses their content."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

PROBE_BYTES: Final = 64 * 1024
"""More than the space that a file system keeps in the inode or in a block that is begun."""


def require_space(folder: Path) -> None:
    """Write a file that has no name and vanishes at once.

    Args:
        folder: it must exist.

    Raises:
        OSError: the folder takes no data: the disk or the user's quota is full, the file system is read-only,
            or the folder is missing.

    Example:
        >>> from tempfile import gettempdir
        >>> require_space(Path(gettempdir()))
    """
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        # Random, because some file systems store zeros and repetitions without space.
        remaining = memoryview(os.urandom(PROBE_BYTES))
        while remaining:
            remaining = remaining[file.write(remaining) :]


def has_space(folder: Path) -> bool:
    """Whether a folder, or its nearest existing parent, takes data.

    Example:
        >>> from tempfile import gettempdir
        >>> has_space(Path(gettempdir()) / "missing")
        True
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        require_space(folder)
    except OSError:
        return False
    return True
