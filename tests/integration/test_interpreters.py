"""Runs the unit tests on every later Python that is installed; the normal test run uses the default one."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

pytestmark = [pytest.mark.proof, pytest.mark.integration]

CHECKOUT = Path(__file__).parents[2]
_NAME = re.compile(r"python3\.\d+")
_ASK = "import platform, sys; print(platform.python_version(), sys.executable)"


def folders() -> list[Path]:
    """Folders that may contain interpreters: PATH, pyenv's and the system's."""
    return [
        *(Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder),
        *sorted(Path.home().glob(".pyenv/versions/*/bin")),
        Path("/usr/bin"),
        Path("/usr/local/bin"),
    ]


@cache
def interpreters() -> dict[str, str]:
    """Version and path of each interpreter that runs (pyenv's shims of inactive versions do not)."""
    found: dict[str, str] = {}
    for folder in folders():
        for path in sorted(folder.glob("python3.*")) if folder.is_dir() else []:
            if not _NAME.fullmatch(path.name):
                continue
            answer = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, check=False)
            version, _, executable = answer.stdout.strip().partition(" ")
            if answer.returncode == 0:
                found.setdefault(version, executable)
    return found


@pytest.mark.parametrize("minor", ["3.12", "3.13", "3.14"])
def test_the_unit_tests_pass(minor: str) -> None:
    chosen = {version: path for version, path in interpreters().items() if version.startswith(f"{minor}.")}
    if not chosen:
        pytest.skip(f"no Python {minor} on the PATH, in ~/.pyenv/versions, /usr/bin or /usr/local/bin")
    for version, path in chosen.items():
        done = subprocess.run(
            ["scripts/test-python", path, "-q", "-p", "no:cacheprovider"],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(f"{version}: {done.stdout.rstrip().rpartition(chr(10))[2]}")
        assert done.returncode == 0, f"{version} ({path}):\n{done.stdout[-20_000:]}"
