"""Debian's packages without root: downloaded by apt, unpacked into a private folder, never installed.

Installing them would enable system services on the very ports that are wanted.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tallow.stack.engines.programs import package_folders
from tallow.stack.engines.programs.apt import LISTS_ARE_FRESH_S, Apt, AptError, is_newer, is_older, run

ATTEMPTS: Final = 2
"""The second with new package lists: a mirror drops what a point release replaced."""

_ASSETS: Final = {
    "prometheus": ("usr/bin/prometheus", "usr/share/prometheus/web"),
    "prometheus-alertmanager": ("usr/bin/prometheus-alertmanager", "usr/share/prometheus/alertmanager"),
}
"""Programs with the path of their templates built in: package to program and folder."""


class PackageError(Exception):
    """A package cannot be had: one line that says why."""


def available() -> bool:
    """Whether this machine has apt and dpkg."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg") is not None


def unpack(package: str, tools: Path) -> Path:
    """The folder in ``tools`` that holds a package and what it needs beyond what is installed.

    Done once; safe against others who do the same at the same time.

    Raises:
        PackageError: apt does not know it, or it cannot be fetched or written.
    """
    root = tools / package
    if not root.exists():
        with _errors(package, tools), _locked(tools):
            if not root.exists():
                _fetch(package, tools)
                _stamp(package, tools).touch()
    return root


def renew(package: str, tools: Path) -> str | None:
    """Unpack a package again if apt has a newer version than ``tools``: that version, None if it has not.

    Apt is asked once a day. What a release of Tallow before this one unpacked is of no known version: it is
    unpacked again.

    Raises:
        PackageError: apt cannot be asked, or the package cannot be fetched or written.
    """
    if not is_due(package, tools):
        return None
    with _errors(package, tools), _locked(tools):
        if not is_due(package, tools):
            return None
        _stamp(package, tools).touch()  # first: without a network, too, apt is asked once a day
        apt = Apt(tools)
        apt.update()
        candidate, present = apt.candidate(package), package_folders.version(tools / package)
        if not candidate or (present and not is_newer(candidate, present)):
            return None
        version = _fetch(package, tools)
        package_folders.remove_unused(tools / package)
    return version


def is_due(package: str, tools: Path) -> bool:
    """Whether apt was not asked for a newer version today."""
    return is_older(_stamp(package, tools), LISTS_ARE_FRESH_S)


def assets(package: str, root: Path) -> Path | None:
    """The folder that an unpacked program must be started in, if it has one: see :func:`_relocate`."""
    return root / _ASSETS[package][1] if package in _ASSETS else None


def libraries(root: Path) -> dict[str, str]:
    """The environment that lets an unpacked program find the libraries unpacked beside it."""
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
def _locked(tools: Path) -> Iterator[None]:
    tools.mkdir(parents=True, exist_ok=True)
    with (tools / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(package: str, tools: Path) -> str:
    """Download and unpack the newest version: that version."""
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
    """Let a program find its templates under ``root``.

    Debian builds the absolute path of the folder in. The path is overwritten by one of the same length that
    means "the folder I was started in": ``.`` and slashes.
    """
    if package not in _ASSETS:
        return
    program, folder = root / _ASSETS[package][0], f"/{_ASSETS[package][1]}".encode()
    content = program.read_bytes()
    program.write_bytes(content.replace(folder, b".".ljust(len(folder), b"/")))
