"""Prometheus's and Alertmanager's own programs for tests: from the PATH, or Debian's, unpacked privately."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

_TOOLS = Path(__file__).parents[2] / ".tools" / "debian"
_PACKAGES = ("prometheus", "prometheus-alertmanager")


@cache
def program(name: str) -> Path:
    """The path of ``promtool``, ``amtool``, ``prometheus`` or ``prometheus-alertmanager``.

    Skips the test where neither the PATH nor apt has it.
    """
    if found := shutil.which(name):
        return Path(found)
    unpacked = _TOOLS / "root" / "usr" / "bin" / name
    if not unpacked.exists():
        if not shutil.which("apt-get"):
            pytest.skip(f"{name} is neither on the PATH nor to be had from apt")
        _unpack()
    return unpacked


def _unpack() -> None:
    for folder in ("lists/partial", "cache/archives/partial", "packages"):
        (_TOOLS / folder).mkdir(parents=True, exist_ok=True)
    with (_TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (_TOOLS / "root").exists():
            return
        apt = ["apt-get", "-o", f"Dir::State::Lists={_TOOLS}/lists", "-o", f"Dir::Cache={_TOOLS}/cache"]
        apt += ["-o", "Debug::NoLocking=1", "-q"]
        subprocess.run([*apt, "update"], check=True, capture_output=True)
        subprocess.run(
            [*apt, "download", *_PACKAGES], check=True, capture_output=True, cwd=_TOOLS / "packages"
        )
        for package in (_TOOLS / "packages").glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, _TOOLS / "half"], check=True)
        (_TOOLS / "half").rename(_TOOLS / "root")
