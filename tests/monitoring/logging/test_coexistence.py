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

ROOT = Path(__file__).parents[3]
FRAMEWORKS = ROOT / ".venv-frameworks/bin/python"
THIRD_PARTY = ("gunicorn", "django", "celery", "structlog", "loguru")
"""Set-ups that need the environment of the frameworks."""
ORDERS = ("before", "after", "between")


def check(setup: str, order: str, python: Path) -> None:
    """Run the program and compare its output with what it logged."""
    done = subprocess.run(
        [python, logging_program.__file__, setup, order],
        env={"PATH": os.environ["PATH"], "LOG_FORMAT": "json", "PYTHONPATH": f"{ROOT}/src:{ROOT}/tests"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    stages = ["first", "last"] if order == "between" else ["last"]
    expected = [f"{stage}-{line} " for stage in stages for line in LINES]
    assert {line: sum(line in one for one in lines) for line in expected} == dict.fromkeys(expected, 1)
    assert [orjson.loads(line)["message"] for line in lines].count("own-line") == 1
    assert_absent([SECRET, "hunter2secret"], done.stdout)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("setup", [setup for setup in SETUPS if setup not in THIRD_PARTY])
def test_each_line_appears_once_and_scrubbed(setup: str, order: str) -> None:
    check(setup, order, Path(sys.executable))


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("setup", THIRD_PARTY)
def test_each_line_appears_once_and_scrubbed_beside_a_framework(setup: str, order: str) -> None:
    subprocess.run([ROOT / "scripts/env", "frameworks"], check=True, capture_output=True, timeout=280)
    check(setup, order, FRAMEWORKS)
