"""Hashes of sources and built files, which show without Node whether the bundle is up to date."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

BUILT_FROM: Final = ("index.html", "package.json", "package-lock.json", "tsconfig.json")
FOLDERS: Final = ("src", "public")
RECORD_FILE: Final = "sources.sha256"


def bundle_record(sources: Path, built: Path) -> str:
    """The content of :data:`RECORD_FILE`: the hashes of the sources and of the built files."""
    return f"{sources_digest(sources)}  sources\n{built_digest(built)}  built\n"


def sources_digest(folder: Path) -> str:
    """SHA-256 of the paths and contents of all files that the build reads, sorted by path."""
    files = [folder / name for name in BUILT_FROM]
    files += folder.glob("*.ts")  # the build's configuration and its plugins
    files += [path for name in FOLDERS for path in (folder / name).rglob("*") if path.is_file()]
    return _digest(folder, files)


def built_digest(folder: Path) -> str:
    """SHA-256 of the paths and contents of all built files, sorted by path."""
    return _digest(
        folder, (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD_FILE)
    )


def _digest(folder: Path, files: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in sorted(files, key=lambda found: found.relative_to(folder).as_posix()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return whole.hexdigest()
