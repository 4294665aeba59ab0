"""Find the programs of the native stack: on the PATH, or unpacked from Debian packages.

The newest version is used. Folders and programs of ``TALLOW_PROGRAMS`` are preferred, regardless of their
version.
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

from tallow.stack.engines.programs import debian, relocation
from tallow.stack.engines.programs.versions import Version, program_version

CHECKOUT: Final = Path(__file__).parents[5]
PROGRAMS_VARIABLE: Final = "TALLOW_PROGRAMS"
_SYSTEM: Final = ("/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin", "/usr/lib/postgresql/15/bin")
_FOLDERS: Final = ("usr/bin", "bin", "usr/sbin", "usr/lib/postgresql/15/bin")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """The names of a program, and the packages that contain it.

    Attributes:
        names: of its file, by preference.
        package: Debian's.
        brew: Homebrew's; None if it has none.
        needs_files: whether Debian's build of the program fails without the files of its package.
    """

    names: tuple[str, ...]
    package: str
    brew: str | None = None
    needs_files: bool = False


PROGRAMS: Final[Mapping[str, ProgramSpec]] = {
    "prometheus": ProgramSpec(("prometheus",), "prometheus", "prometheus"),
    "promtool": ProgramSpec(("promtool",), "prometheus", "prometheus"),
    "alertmanager": ProgramSpec(
        ("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager", needs_files=True
    ),
    "amtool": ProgramSpec(("amtool",), "prometheus-alertmanager"),
    "node_exporter": ProgramSpec(
        ("prometheus-node-exporter", "node_exporter"), "prometheus-node-exporter", "node_exporter"
    ),
}


class MissingProgramError(Exception):
    """A program is missing and cannot be fetched. The text is one line that says what to install."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that can be started.

    Attributes:
        folder: the working directory that it needs; None if any will do.
        environment: variables that it needs.
    """

    path: Path
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> Version | None:
        """The version that it prints; None if it prints none."""
        return program_version(self.path, self.environment)


def ensure(names: Iterable[str], progress: Progress = lambda _: None) -> dict[str, Program]:
    """Find programs, and unpack those that are missing. Unpacked ones are updated once a day.

    Args:
        names: of :data:`PROGRAMS`.
        progress: called with a line before something that takes time.

    Returns:
        The programs by name.

    Raises:
        MissingProgramError: a program is neither on this machine nor available from apt.
    """
    return {name: _ensure(name, progress) for name in names}


def _ensure(name: str, progress: Progress) -> Program:
    found = _updated(PROGRAMS[name], progress)
    return _fetch(name, progress) if found is None else _with_files(name, found, progress)


def find(wanted: ProgramSpec) -> Program | None:
    """Find a program on this machine: that of ``TALLOW_PROGRAMS``, else the newest; None if there is none.

    Raises:
        MissingProgramError: ``TALLOW_PROGRAMS`` names something that does not exist.
    """
    return next(_configured(wanted), None) or _newest([*_on_the_path(wanted), *_unpacked(wanted)])


def fetch(wanted: ProgramSpec) -> Program:
    """Unpack a program's Debian package.

    Raises:
        PackageError: the package cannot be unpacked.
    """
    return unpacked(wanted, debian.unpack(wanted.package, tools_folder()))


def unpacked(wanted: ProgramSpec, root: Path) -> Program:
    """The program in an unpacked package."""
    paths = (root / folder / name for folder in _FOLDERS for name in wanted.names)
    path = next(path for path in paths if path.exists())
    return Program(path, debian.assets(wanted.package, root), debian.libraries(root))


@cache
def tools_folder() -> Path:
    """The folder for unpacked packages: ``TALLOW_TOOLS``, the repository if this user may write there, or the
    user's cache.

    Raises:
        MissingProgramError: this user can write to none of them.
    """
    for folder in _tools_folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise MissingProgramError(
        "programs must be fetched, and no folder for them is writable; name one in TALLOW_TOOLS"
    )


def _configured(wanted: ProgramSpec) -> Iterator[Program]:
    """The programs that ``TALLOW_PROGRAMS`` names: folders and files, separated as in the PATH."""
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
    for tools in _tools_folders():
        if (tools / wanted.package).exists():
            yield unpacked(wanted, tools / wanted.package)


def _newest(programs: list[Program]) -> Program | None:
    """The newest program; the first one if versions are equal or not known."""
    if len({program.path.resolve() for program in programs}) <= 1:
        return next(iter(programs), None)
    best = programs[0]
    for other in programs[1:]:
        best_version, other_version = best.version(), other.version()
        if best_version and other_version and other_version > best_version:
            best = other
    return best


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _tools_folders() -> list[Path]:
    if named := os.environ.get("TALLOW_TOOLS"):
        return [Path(named)]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "tallow" / "programs"
    folders = [CHECKOUT / ".tools" / "programs"] if (CHECKOUT / "pyproject.toml").exists() else []
    with suppress(RuntimeError):  # this user has no home folder
        folders.append(cache.expanduser())
    return folders


def _updated(wanted: ProgramSpec, progress: Progress) -> Program | None:
    """The program on this machine; if it was unpacked here, its package is updated first."""
    found = find(wanted)
    if found is None:
        return None
    tools = next((tools for tools in _tools_folders() if found.path.is_relative_to(tools)), None)
    if tools is None or not debian.available():
        return found
    try:
        if debian.is_due(wanted.package, tools):
            progress(f"looking for a newer {wanted.package}")
        version = debian.renew(wanted.package, tools)
    except debian.PackageError as error:
        progress(f"{error}; the one that was unpacked before is used")
        return found
    if version:
        progress(f"updated {wanted.package}: {version}")
    return find(wanted)


def _with_files(name: str, found: Program, progress: Progress) -> Program:
    """The program, or a copy of it that finds the files that Debian's build expects.

    Raises:
        MissingProgramError: it fails without them, and there are none.
    """
    wanted = PROGRAMS[name]
    if not wanted.needs_files or found.folder or not relocation.needs_files(wanted.package, found.path):
        return found
    progress(f"copying {found.path}, whose files are missing at {debian.compiled_folder(wanted.package)}")
    try:
        return unpacked(wanted, relocation.relocated(wanted.package, found.path, tools_folder()))
    except debian.PackageError as error:
        raise MissingProgramError(
            f"{found.path} is Debian's build of {name}, and its files at "
            f"{debian.compiled_folder(wanted.package)} are missing; install {wanted.package}, "
            f"or name another program in {PROGRAMS_VARIABLE} ({error})"
        ) from None


def _fetch(name: str, progress: Progress) -> Program:
    wanted = PROGRAMS[name]
    if not debian.available():
        brew = f"brew install {wanted.brew}, or " if wanted.brew else ""
        raise MissingProgramError(
            f"{name} is not on the PATH and there is no apt to fetch it with; {brew}"
            f"put {' or '.join(wanted.names)} on the PATH (https://prometheus.io/download/)"
        )
    progress(f"fetching {name} (Debian's {wanted.package}, unpacked privately)")
    try:
        return fetch(wanted)
    except debian.PackageError as error:
        raise MissingProgramError(f"{error}; install {name} yourself and put it on the PATH") from None
