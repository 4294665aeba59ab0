"""The programs of the native stack: on the PATH, or from Debian's packages, unpacked privately.

The newest one of a kind is taken. ``TALLOW_PROGRAMS`` names folders and programs that come first, whatever
their version.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from tallow.stack.engines.programs import debian
from tallow.stack.engines.programs.versions import Version, program_version

CHECKOUT: Final = Path(__file__).parents[5]
PROGRAMS_VARIABLE: Final = "TALLOW_PROGRAMS"
_SYSTEM: Final = ("/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin", "/usr/lib/postgresql/15/bin")
_FOLDERS: Final = ("usr/bin", "bin", "usr/sbin", "usr/lib/postgresql/15/bin")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """Under which names a program may be found, and what brings it."""

    names: tuple[str, ...]
    package: str
    brew: str | None = None


PROGRAMS: Final[Mapping[str, ProgramSpec]] = {
    "prometheus": ProgramSpec(("prometheus",), "prometheus", "prometheus"),
    "promtool": ProgramSpec(("promtool",), "prometheus", "prometheus"),
    "alertmanager": ProgramSpec(("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager"),
    "amtool": ProgramSpec(("amtool",), "prometheus-alertmanager"),
    "node_exporter": ProgramSpec(
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

    def version(self) -> Version | None:
        """What it says itself."""
        return program_version(self.path, self.environment)


def ensure(names: Iterable[str], say: Progress = lambda _: None) -> dict[str, Program]:
    """Programs by their names in :data:`WANTED`, unpacked now where they are missing.

    What was unpacked before is renewed once a day, should apt have a newer package.

    Args:
        names: what is needed.
        say: is told before something takes time.

    Raises:
        MissingProgramError: one is neither on the PATH nor to be had from apt.
    """
    return {name: _renewed(PROGRAMS[name], say) or _fetch(name, say) for name in names}


def find(wanted: ProgramSpec) -> Program | None:
    """The program if it is on this machine already: the operator's choice, else the newest.

    Raises:
        MissingProgramError: ``TALLOW_PROGRAMS`` names something that is not there.
    """
    return next(_chosen(wanted), None) or _newest([*_on_the_path(wanted), *_unpacked(wanted)])


def fetch(wanted: ProgramSpec) -> Program:
    """The program, from its Debian package.

    Raises:
        PackageError: the package cannot be had.
    """
    return unpacked(wanted, debian.unpack(wanted.package, tools_folder()))


def unpacked(wanted: ProgramSpec, root: Path) -> Program:
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
        "programs must be fetched, and no folder for them can be written to; name one in TALLOW_TOOLS"
    )


def _chosen(wanted: ProgramSpec) -> Iterator[Program]:
    """What ``TALLOW_PROGRAMS`` selects: a list of folders and programs, separated as the PATH is."""
    for entry in filter(None, os.environ.get(PROGRAMS_VARIABLE, "").split(os.pathsep)):
        place = Path(entry).absolute()
        if place.is_dir():
            found = next((place / name for name in wanted.names if _is_program(place / name)), None)
        elif _is_program(place):
            found = place if place.name in wanted.names else None
        else:
            raise MissingProgramError(
                f"{PROGRAMS_VARIABLE}: {entry} is neither a folder nor a program that can be started"
            )
        if found:
            yield Program(found)


def _on_the_path(wanted: ProgramSpec) -> Iterator[Program]:
    folders = (*os.environ.get("PATH", os.defpath).split(os.pathsep), *_SYSTEM)
    for folder in dict.fromkeys(filter(None, folders)):
        for name in wanted.names:
            if found := shutil.which(name, path=folder):
                yield Program(Path(found))


def _unpacked(wanted: ProgramSpec) -> Iterator[Program]:
    for tools in _places():
        if (tools / wanted.package).exists():
            yield unpacked(wanted, tools / wanted.package)


def _newest(programs: list[Program]) -> Program | None:
    """The newest; the first one of those that do not say how old they are, and of equals."""
    if len({program.path.resolve() for program in programs}) <= 1:
        return next(iter(programs), None)
    best = programs[0]
    for other in programs[1:]:
        ours, theirs = best.version(), other.version()
        if ours and theirs and theirs > ours:
            best = other
    return best


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _places() -> list[Path]:
    if named := os.environ.get("TALLOW_TOOLS"):
        return [Path(named)]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "tallow" / "programs"
    places = [CHECKOUT / ".tools" / "programs"] if (CHECKOUT / "pyproject.toml").exists() else []
    with suppress(RuntimeError):  # this user has no home folder
        places.append(cache.expanduser())
    return places


def _renewed(wanted: ProgramSpec, say: Progress) -> Program | None:
    """The program that is here, its package unpacked anew before if it is one and apt has a newer one."""
    found = find(wanted)
    if found is None:
        return None
    tools = next((tools for tools in _places() if found.path.is_relative_to(tools)), None)
    if tools is None or not debian.available():
        return found
    try:
        if debian.is_due(wanted.package, tools):
            say(f"looking for a newer {wanted.package}")
        version = debian.renew(wanted.package, tools)
    except debian.PackageError as error:
        say(f"{error}; going on with the one that was unpacked before")
        return found
    if version:
        say(f"renewed {wanted.package}: {version}")
    return find(wanted)


def _fetch(name: str, say: Progress) -> Program:
    wanted = PROGRAMS[name]
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
