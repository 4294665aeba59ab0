"""The examples in the docstrings of the application run."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import tallow.app

ROOT = Path(next(iter(tallow.app.__path__)))
MODULES = sorted(
    ".".join(("tallow.app", *path.relative_to(ROOT).with_suffix("").parts))
    for path in ROOT.rglob("*.py")
    if ">>>" in path.read_text()
)


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module: str) -> None:
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted
    assert not results.failed
