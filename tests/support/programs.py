"""Debian's monitoring programs for the tests, unpacked into a private folder the first time."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACE = ROOT / ".tools" / "debian"


def find(program: str, package: str) -> Path:
    """The path of a program: on the PATH, or from its Debian package. Skips the test where neither can be."""
    installed = shutil.which(program)
    if installed:
        return Path(installed)
    unpacked = PLACE / "root" / "usr" / "bin" / program
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:  # tests run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.exists():
            if shutil.which("apt-get") is None:
                pytest.skip(f"{program} is not installed and there is no apt-get to bring it")
            _unpack(package)
    return unpacked


def _unpack(package: str) -> None:
    for folder in ("lists/partial", "cache/archives/partial"):
        (PLACE / folder).mkdir(parents=True, exist_ok=True)
    private = [f"Dir::State::Lists={PLACE}/lists", f"Dir::Cache={PLACE}/cache", "Debug::NoLocking=1"]
    apt = ["apt-get", "-qq", *(part for option in private for part in ("-o", option))]
    subprocess.run([*apt, "update"], check=True, capture_output=True)
    subprocess.run([*apt, "download", package], check=True, capture_output=True, cwd=PLACE)
    for archive in PLACE.glob(f"{package}_*.deb"):
        subprocess.run(["dpkg", "-x", archive, PLACE / "root"], check=True)
