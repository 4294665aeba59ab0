"""The programs of the native stack: on the PATH, or Debian's packages unpacked privately."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from tallow.stack.engines import debian

CHECKOUT: Final = Path(__file__).parents[4]
_SYSTEM: Final = "/usr/sbin:/usr/local/bin:/opt/homebrew/bin:/usr/lib/postgresql/15/bin"
_FOLDERS: Final = ("usr/bin", "bin", "usr/sbin", "usr/lib/postgresql/15/bin")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Under which names a program may be found, and what brings it."""

    names: tuple[str, ...]
    package: str
    brew: str | None = None


WANTED: Final[Mapping[str, Wanted]] = {
    "prometheus": Wanted(("prometheus",), "prometheus", "prometheus"),
    "promtool": Wanted(("promtool",), "prometheus", "prometheus"),
    "alertmanager": Wanted(("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager"),
    "amtool": Wanted(("amtool",), "prometheus-alertmanager"),
    "node_exporter": Wanted(
        ("prometheus-node-exporter", "node_exporter"), "prometheus-node-exporter", "node_exporter"
    ),
}


class MissingProgramError(Exception):
    """A program is not there and cannot be had: one line that says what to install."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that can be started."""

    path: Path
    folder: Path | None = None
    """Where it must be started, if that matters to it."""
    environment: Mapping[str, str] = field(default_factory=dict)


def ensure(names: Iterable[str], say: Callable[[str], None] = lambda _: None) -> dict[str, Program]:
    """Programs by their names in :data:`WANTED`, unpacked now where they are missing.

    Args:
        names: what is needed.
        say: is told before something takes time.

    Raises:
        MissingProgramError: one is neither on the PATH nor to be had from apt.
    """
    return {name: find(WANTED[name]) or _fetch(name, say) for name in names}


def find(wanted: Wanted) -> Program | None:
    """The program if it is on this machine already."""
    for name in wanted.names:
        if found := shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM}"):
            return Program(Path(found))
    for tools in _places():
        if (tools / wanted.package).exists():
            return unpacked(wanted, tools / wanted.package)
    return None


def fetch(wanted: Wanted) -> Program:
    """The program, from its Debian package.

    Raises:
        PackageError: the package cannot be had.
    """
    return unpacked(wanted, debian.unpack(wanted.package, tools_folder()))


def unpacked(wanted: Wanted, root: Path) -> Program:
    """The program in an unpacked package."""
    places = (root / folder / name for folder in _FOLDERS for name in wanted.names)
    path = next(place for place in places if place.exists())
    return Program(path, debian.assets(wanted.package, root), debian.libraries(root))


@cache
def tools_folder() -> Path:
    """Where packages are unpacked: in the checkout where this user may write there, else in the user's cache.

    ``TALLOW_TOOLS`` names another folder.
    """
    for place in _places():
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(place, os.W_OK):
            return place
    raise MissingProgramError(
        f"programs must be fetched and {_places()[-1]} is not writable; set TALLOW_TOOLS to a folder"
    )


def _places() -> list[Path]:
    if named := os.environ.get("TALLOW_TOOLS"):
        return [Path(named)]
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tallow" / "programs"
    if (CHECKOUT / "pyproject.toml").exists():
        return [CHECKOUT / ".tools" / "programs", cached]
    return [cached]


def _fetch(name: str, say: Callable[[str], None]) -> Program:
    wanted = WANTED[name]
    if not debian.available():
        brew = f"brew install {wanted.brew}, or " if wanted.brew else ""
        raise MissingProgramError(
            f"{name} is not on the PATH and there is no apt to fetch it with; {brew}"
            f"put {' or '.join(wanted.names)} on the PATH (https://prometheus.io/download/)"
        )
    say(f"fetching {name} (Debian's {wanted.package}, unpacked privately)")
    try:
        return fetch(wanted)
    except debian.PackageError as error:
        raise MissingProgramError(f"{error}; install {name} yourself and put it on the PATH") from None
