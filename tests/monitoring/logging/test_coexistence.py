"""Whoever else configures logging, each line appears once, scrubbed, and nothing is printed around us."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from support import logging_program
from support.logging_program import LINES, SECRET, SETUPS
from tallow.monitoring.testing import assert_absent

FRAMEWORKS = Path(__file__).parents[3] / ".venv-frameworks/bin/python"
"""Where the other libraries are that the tests' own environment does not have."""
THIRD_PARTY = ("gunicorn", "django", "celery", "structlog", "loguru")


def run(setup: str, order: str) -> subprocess.CompletedProcess[str]:
    python = str(FRAMEWORKS) if setup in THIRD_PARTY else sys.executable
    return subprocess.run(
        [python, logging_program.__file__, setup, order],
        env={**os.environ, "LOG_LEVEL": "info", "LOG_FORMAT": "json", "PYTHONPATH": os.pathsep.join(sys.path)}
        if setup not in THIRD_PARTY
        else {"PATH": os.environ["PATH"], "LOG_FORMAT": "json", "PYTHONPATH": source_folders()},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def source_folders() -> str:
    root = Path(__file__).parents[3]
    return os.pathsep.join((str(root / "src"), str(root / "tests")))


@pytest.mark.parametrize("order", ["before", "after", "between"])
@pytest.mark.parametrize("setup", SETUPS)
def test_each_line_appears_once_and_scrubbed(setup: str, order: str) -> None:
    done = run(setup, order)
    records = [orjson.loads(line) for line in done.stdout.splitlines()]
    text = [orjson.dumps(record).decode() for record in records]
    stages = ["first", "last"] if order == "between" else ["last"]
    expected = [f"{stage}-{line} " for stage in stages for line in LINES]
    counts = {line: sum(line in one for one in text) for line in expected}
    assert counts == dict.fromkeys(expected, 1)
    assert [record["message"] for record in records].count("own-line") == 1
    assert_absent([SECRET, "hunter2secret"], done.stdout, done.stderr)
    assert done.stderr == ""
