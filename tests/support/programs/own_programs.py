"""Small Go programs around libraries, in place of programs that take too long to build, or need C."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

CACHE: Final = Path.home() / ".cache" / "tallow-go"
CADVISOR_VERSION: Final = "v0.53.0"
ALLOY_SYNTAX_VERSION: Final = "v0.1.0"
BUILD_TIMEOUT_S: Final = 1800


def cadvisor_program() -> Path:
    """Return cAdvisor's library with a program around it: about five minutes with an empty cache."""
    return own_go_program("cadvisor", f"github.com/google/cadvisor@{CADVISOR_VERSION}")


def alloy_parser() -> Path:
    """Return a program that reads a configuration file with the parser of Alloy."""
    return own_go_program("alloy_parser", f"github.com/grafana/alloy/syntax@{ALLOY_SYNTAX_VERSION}")


def own_go_program(name: str, *modules: str) -> Path:
    """Return the static program of the folder ``name``, which is built once.

    The test is skipped where Go is not installed and the program was not built before.

    Args:
        name: of the folder and the program.
        modules: that it needs, with their versions.
    """
    source, folder = (
        Path(__file__).parent / name / "main.go",
        CACHE / "-".join((name, *map(_version, modules))),
    )
    program = folder / name
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    if shutil.which("go") is None:
        pytest.skip(f"needs Go to build {name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(source, folder)
    _go(folder, ["mod", "init", name])
    for module in modules:
        _go(folder, ["get", module])
    _go(folder, ["mod", "tidy"])
    _go(folder, ["build", "-o", name, "."])
    return program


def _version(module: str) -> str:
    return module.rpartition("@")[2]


def _go(folder: Path, arguments: Sequence[str]) -> None:
    done = subprocess.run(
        ["go", *arguments],
        cwd=folder,
        env=os.environ | {"CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr[-2000:]
