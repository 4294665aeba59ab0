"""The versions of Tallow's code and of the programs, and how they differ from those of a running stack."""

from __future__ import annotations

import hashlib
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tallow import __version__
from tallow.stack.engines.programs.programs import Program
from tallow.stack.engines.supervisor.state_files import Release

_PACKAGE: Final = Path(__file__).parents[3]


def current(programs: Mapping[str, Program]) -> Release:
    """The present versions of the code and of the given programs."""
    versions = {name: program.version() for name, program in programs.items()}
    known = {name: ".".join(map(str, version)) for name, version in versions.items() if version}
    return Release(__version__, code_digest(), known)


def differences(running: Release | None, here: Release) -> list[str]:
    """The differences between the versions of a running stack and the present ones, one line each.

    Args:
        running: None if a version started the stack that did not record it.
        here: the present versions. Programs that are missing here are not compared.
    """
    if running is None:
        return ["Tallow: the stack was started by an older version"]
    found = []
    if running.version != here.version:
        found.append(f"Tallow: {running.version} runs, {here.version} is here")
    elif running.code != here.code:
        found.append("Tallow: its code or a library it uses has changed since the stack was started")
    return found + [
        f"{name}: {running.programs.get(name, 'an unknown version')} runs, {version} is here"
        for name, version in here.programs.items()
        if running.programs.get(name) != version
    ]


def code_digest(package: Path = _PACKAGE, libraries: Path | None = None) -> str:
    """A digest of a package's files and of the names and versions of all installed libraries.

    Args:
        package: the folder of the package.
        libraries: the folder of the libraries; by default this interpreter's.
    """
    digest = hashlib.sha256()
    for path in _files(package):
        digest.update(str(path.relative_to(package)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for entry in sorted((libraries or Path(sysconfig.get_path("purelib"))).glob("*.dist-info")):
        digest.update(entry.name.encode() + b"\0")
    return digest.hexdigest()


def _files(package: Path) -> Iterator[Path]:
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield path
