"""Download Debian packages as an ordinary user and unpack them into a private folder.

They are not installed: that would start system services on the ports of the stack.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tallow.stack.engines.programs import package_folders
from tallow.stack.engines.programs.apt import LISTS_VALID_S, Apt, AptError, is_newer, is_older, run

ATTEMPTS: Final = 2
"""The second one fetches new package lists: mirrors remove the packages that a point release replaces."""

_ASSETS: Final = {
    "prometheus": ("usr/bin/prometheus", "usr/share/prometheus/web"),
    "prometheus-alertmanager": ("usr/bin/prometheus-alertmanager", "usr/share/prometheus/alertmanager"),
}
"""Programs with a compiled-in path of their templates: the program and that folder, by package."""


class PackageError(Exception):
    """A package cannot be unpacked. The text is one line with the reason."""


def available() -> bool:
    """Whether this machine has apt and dpkg."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg") is not None


def unpack(package: str, tools: Path) -> Path:
    """Unpack a package and its missing dependencies into ``tools``, unless that was done before.

    Processes that do so at the same time wait for each other.

    Returns:
        The folder with the unpacked files.

    Raises:
        PackageError: apt does not know the package, or it cannot be fetched or written.
    """
    root = tools / package
    if not root.exists():
        with _errors(package, tools), locked(tools):
            if not root.exists():
                _fetch(package, tools)
                _stamp(package, tools).touch()
    return root


def renew(package: str, tools: Path) -> str | None:
    """Unpack a package again if apt has a newer version. Apt is asked once a day.

    A package that an earlier release of Tallow unpacked has no known version and is unpacked again.

    Returns:
        The new version; None if nothing was unpacked.

    Raises:
        PackageError: apt fails, or the package cannot be fetched or written.
    """
    if not is_due(package, tools):
        return None
    with _errors(package, tools), locked(tools):
        if not is_due(package, tools):
            return None
        _stamp(package, tools).touch()  # first, so that apt is asked once a day also without a network
        apt = Apt(tools)
        apt.update()
        candidate, present = apt.candidate(package), package_folders.version(tools / package)
        if not candidate or (present and not is_newer(candidate, present)):
            return None
        version = _fetch(package, tools)
        package_folders.remove_unused(tools / package)
    return version


def is_due(package: str, tools: Path) -> bool:
    """Whether apt was not asked for a newer version within a day."""
    return is_older(_stamp(package, tools), LISTS_VALID_S)


def assets(package: str, root: Path) -> Path | None:
    """The working directory that an unpacked program needs; None if any will do. See :func:`_relocate`."""
    return root / _ASSETS[package][1] if package in _ASSETS else None


def compiled_folder(package: str) -> Path | None:
    """The folder whose path Debian compiles into a package's program; None if there is none."""
    return Path("/", _ASSETS[package][1]) if package in _ASSETS else None


def place_program(package: str, program: Path, files: Path, root: Path) -> None:
    """Copy a program of a package, and the files of its compiled folder, to where :func:`unpack` puts them.

    Raises:
        OSError: they cannot be read or written.
    """
    path, folder = (root / place for place in _ASSETS[package])
    path.parent.mkdir(parents=True)
    shutil.copy(program, path)
    shutil.copytree(files, folder)
    _relocate(package, root)


def libraries(root: Path) -> dict[str, str]:
    """The environment variables with which an unpacked program finds the libraries unpacked with it."""
    found = [*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu")]
    return {"LD_LIBRARY_PATH": ":".join(map(str, found))} if found else {}


def _stamp(package: str, tools: Path) -> Path:
    return tools / f"{package}.checked"


@contextlib.contextmanager
def _errors(package: str, tools: Path) -> Iterator[None]:
    try:
        yield
    except AptError as error:
        raise PackageError(f"the Debian package {package} cannot be fetched: {error}") from None
    except OSError as error:
        raise PackageError(f"the Debian package {package} cannot be unpacked into {tools}: {error}") from None


@contextlib.contextmanager
def locked(tools: Path) -> Iterator[None]:
    """Wait until no other process changes the folder for unpacked packages, and keep others waiting."""
    tools.mkdir(parents=True, exist_ok=True)
    with (tools / "lock").open("w") as lock:
        import fcntl  # not on Windows, which has no apt

        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(package: str, tools: Path) -> str:
    """Download and unpack the newest version, and return it."""
    draft, archives = tools / f"{package}.half", tools / f"{package}.packages"
    for folder in (draft, archives):
        shutil.rmtree(folder, ignore_errors=True)
    archives.mkdir()
    version = ""
    for archive in _download(package, Apt(tools), archives):
        run(["dpkg", "-x", str(archive), str(draft)])
        if archive.name.startswith(f"{package}_"):
            version = run(["dpkg-deb", "--field", str(archive), "Version"]).strip()
    shutil.rmtree(archives)
    _relocate(package, draft)
    package_folders.activate(draft, tools / package, version)
    return version


def _download(package: str, apt: Apt, into: Path) -> list[Path]:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            apt.update(force=attempt > 1)
            return apt.download(apt.needed(package), into)
        except AptError:
            if attempt == ATTEMPTS:
                raise
    return []


def _relocate(package: str, root: Path) -> None:
    """Make a program read its templates from its working directory.

    Debian compiles the absolute path of the folder into the program. The path is overwritten by a path of the
    same
    length for the working directory: ``.`` and slashes.
    """
    if package not in _ASSETS:
        return
    program, folder = root / _ASSETS[package][0], f"/{_ASSETS[package][1]}".encode()
    content = program.read_bytes()
    program.write_bytes(content.replace(folder, b".".ljust(len(folder), b"/")))
