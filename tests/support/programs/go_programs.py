"""Programs that are published as Go modules, built once per machine, outside the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path.home() / ".cache" / "tallow-go" / "installed"
BUILD_TIMEOUT_S = 1800


def go_program(package: str, version: str) -> Path:
    """Return the path of a program; the test is skipped where Go is not installed.

    Args:
        package: the path of the package, whose last part is the program's name.
        version: of its module.
    """
    program = FOLDER / version / package.rpartition("/")[2]
    if not program.exists():
        if shutil.which("go") is None:
            pytest.skip("Go is not installed")
        environment = os.environ | {"GOBIN": str(program.parent)}
        command = ["go", "install", f"{package}@{version}"]
        subprocess.run(command, env=environment, check=True, timeout=BUILD_TIMEOUT_S)
    return program
