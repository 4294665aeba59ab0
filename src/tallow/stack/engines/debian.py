"""Debian's packages without root: downloaded by apt, unpacked into a private folder, never installed.

Installing them would enable system services on the very ports that are wanted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

LISTS_ARE_FRESH_S: Final = 86_400
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
    if root.exists():
        return root
    try:
        with _locked(tools):
            if not root.exists():
                _fetch(package, tools).rename(root)
    except subprocess.CalledProcessError as error:
        raise PackageError(f"the Debian package {package} cannot be fetched: {_reason(error)}") from None
    except OSError as error:
        raise PackageError(f"the Debian package {package} cannot be unpacked into {tools}: {error}") from None
    return root


def assets(package: str, root: Path) -> Path | None:
    """The folder that an unpacked program must be started in, if it has one: see :func:`_relocate`."""
    return root / _ASSETS[package][1] if package in _ASSETS else None


def libraries(root: Path) -> dict[str, str]:
    """The environment that lets an unpacked program find the libraries unpacked beside it."""
    found = [*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu")]
    return {"LD_LIBRARY_PATH": ":".join(map(str, found))} if found else {}


@contextlib.contextmanager
def _locked(tools: Path) -> Iterator[None]:
    for folder in ("lists/partial", "cache/archives/partial"):
        (tools / folder).mkdir(parents=True, exist_ok=True)
    with (tools / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(package: str, tools: Path) -> Path:
    """A finished draft of the package's folder."""
    options = (f"Dir::State::Lists={tools}/lists", f"Dir::Cache={tools}/cache", "Debug::NoLocking=1")
    apt = ["apt-get", "-q", *(part for option in options for part in ("-o", option))]
    draft, archives = tools / f"{package}.half", tools / f"{package}.packages"
    for folder in (draft, archives):
        shutil.rmtree(folder, ignore_errors=True)
    archives.mkdir()
    for attempt in range(ATTEMPTS):
        try:
            _update(apt, tools / "updated", force=attempt > 0)
            _run([*apt, "download", *_wanted(apt, package)], archives)
            break
        except subprocess.CalledProcessError:
            if attempt == ATTEMPTS - 1:
                raise
    for archive in archives.glob("*.deb"):
        _run(["dpkg", "-x", str(archive), str(draft)])
    shutil.rmtree(archives)
    _relocate(package, draft)
    return draft


def _update(apt: list[str], stamp: Path, *, force: bool) -> None:
    if force or not stamp.exists() or time.time() - stamp.stat().st_mtime > LISTS_ARE_FRESH_S:
        _run([*apt, "update"])
        stamp.touch()


def _wanted(apt: list[str], package: str) -> list[str]:
    """What installing the package would bring, as far as the system does not have it."""
    said = _run([*apt, "--simulate", "--no-install-recommends", "install", package])
    return sorted({package, *re.findall(r"^Inst (\S+)", said, re.MULTILINE)})


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


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, env=environment)
    return done.stdout


def _reason(error: subprocess.CalledProcessError) -> str:
    lines = [line for line in error.stderr.splitlines() if line.startswith("E: ")]
    return lines[0].removeprefix("E: ") if lines else f"{error.cmd[0]} ended with {error.returncode}"
