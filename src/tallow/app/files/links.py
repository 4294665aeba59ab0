"""Symbolic links inside a sent folder. None may lead out of it."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath

from tallow.app.files.names import safe_path


def inner_target(name: str, target: str) -> str | None:
    """The path that a link leads to, relative to the place of the top folder.

    Args:
        name: the link's own name, such as ``holiday/best/beach.jpg``.
        target: the text of the link.

    Returns:
        None if the link leads out of its top folder or to the top folder itself, or is absolute.

    Example:
        >>> inner_target("holiday/best/beach.jpg", "../beach.jpg")
        'holiday/beach.jpg'
        >>> inner_target("holiday/best/passwd", "../../etc/passwd") is None
        True
    """
    if not target or target.startswith("/") or "\0" in target:
        return None
    resolved = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    top = PurePosixPath(name).parts[0]
    return resolved if resolved.startswith(f"{top}/") else None


def safe_target(name: str, target: str) -> str | None:
    """The text of a link that is safe to create; None if it would lead out of its top folder.

    It is computed from safe names, so that nothing of the other side's text reaches the file system.

    Example:
        >>> safe_target("holiday/best/beach.jpg", "./../best/../beach.jpg")
        '../beach.jpg'
    """
    resolved = inner_target(name, target)
    if resolved is None:
        return None
    return posixpath.relpath(str(safe_path(resolved)), str(safe_path(name).parent))
