"""cAdvisor's library with a small program around it, built from Go modules."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

VERSION: Final = "v0.53.0"
SOURCE: Final = Path(__file__).parent / "cadvisor" / "main.go"
CACHE: Final = Path.home() / ".cache" / "tallow-go" / f"cadvisor-{VERSION}"
BUILD_TIMEOUT_S: Final = 1800


def cadvisor_program() -> Path:
    """Return the program's path. It is built once, in about five minutes with an empty cache, and is static.

    The test is skipped where Go is not installed and the program was not built before.
    """
    program = CACHE / "cadvisor"
    if program.exists() and program.stat().st_mtime > SOURCE.stat().st_mtime:
        return program
    if shutil.which("go") is None:
        pytest.skip("needs Go to build cAdvisor")
    shutil.rmtree(CACHE, ignore_errors=True)
    CACHE.mkdir(parents=True)
    shutil.copy(SOURCE, CACHE)
    environment = os.environ | {"CGO_ENABLED": "0"}
    get = ["get", f"github.com/google/cadvisor@{VERSION}"]
    for arguments in (["mod", "init", "cadvisor"], get, ["mod", "tidy"], ["build", "-o", "cadvisor", "."]):
        done = subprocess.run(
            ["go", *arguments],
            cwd=CACHE,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr[-2000:]
    return program
