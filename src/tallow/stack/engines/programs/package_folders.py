"""Folders of unpacked packages: one for each version, and a link to the newest.

An older version is kept while a program runs from it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import psutil

UNPACKED: Final = ".tallow-unpacked"
"""A file that marks a folder as unpacked by Tallow; only such folders are removed."""


def version(link: Path) -> str:
    """The version that a link points to; empty for a folder, which earlier releases of Tallow made."""
    return link.readlink().name.partition("_")[2] if link.is_symlink() else ""


def activate(draft: Path, link: Path, new_version: str) -> None:
    """Rename a complete folder to ``LINK_VERSION``, and point the link to it in one step."""
    folder = link.with_name(f"{link.name}_{new_version}")
    (draft / UNPACKED).touch()
    if folder.exists():  # unpacked before; its link was lost
        folder.rename(_free_name(folder))
    draft.rename(folder)
    if link.exists() and not link.is_symlink():  # unpacked by an earlier release; a program may run from it
        (link / UNPACKED).touch()
        link.rename(_free_name(folder))
    new = link.with_name(f"{link.name}.link")
    new.unlink(missing_ok=True)
    new.symlink_to(folder.name)
    new.replace(link)


def remove_unused(link: Path) -> None:
    """Remove the versions that the link does not point to and that no process uses."""
    current = link.resolve()
    for folder in link.parent.glob(f"{link.name}_*"):
        if folder.resolve() != current and (folder / UNPACKED).exists() and not _in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _in_use(folder: Path) -> bool:
    """Whether a process runs a program in a folder, or has its working directory there."""
    root = folder.resolve()
    return any(
        Path(path).is_relative_to(root)
        for process in psutil.process_iter(["exe", "cwd"])
        for path in (process.info["exe"], process.info["cwd"])
        if path
    )


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}~{number}") for number in range(1, 1000))
    return next(name for name in names if not name.exists())
