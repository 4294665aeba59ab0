"""Says whether the built files come from the sources, without Node: by hashes both sides can compute."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

BUILT_FROM: Final = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
FOLDERS: Final = ("src", "public")
RECORD_FILE: Final = "sources.sha256"


def bundle_record(sources: Path, built: Path) -> str:
    """What stands in the record beside the built files: what was built, and from what."""
    return f"{sources_digest(sources)}  sources\n{built_digest(built)}  built\n"


def sources_digest(folder: Path) -> str:
    """SHA-256 over names and contents of everything the build reads, in order of their paths."""
    files = [folder / name for name in BUILT_FROM]
    files += [path for name in FOLDERS for path in (folder / name).rglob("*") if path.is_file()]
    return _digest(folder, files)


def built_digest(folder: Path) -> str:
    """The same over everything that was built."""
    return _digest(
        folder, (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD_FILE)
    )


def _digest(folder: Path, files: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in sorted(files, key=lambda found: found.relative_to(folder).as_posix()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return whole.hexdigest()
