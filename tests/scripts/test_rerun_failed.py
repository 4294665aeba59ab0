"""Failed tests are repeated once, and a failure stays one unless each of them passes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.commands import ROOT

pytestmark = pytest.mark.slow

PASSING = "def test_passing(): pass\n"
FAILING = "def test_failing(): assert False\n"
ONCE = """
from pathlib import Path
def test_once():
    first = not Path("seen").exists()
    Path("seen").touch()
    assert not first
"""


def run(folder: Path, tests: str) -> tuple[int, str]:
    """Run tests with two workers, then repeat the failed ones; returns the second status and output."""
    (folder / "test_sample.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_"))
    }
    environment |= {"PYTHONPATH": str(ROOT / "tests"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    first = [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "2"]
    subprocess.run(first, cwd=folder, env=environment, capture_output=True, check=False)
    done = subprocess.run(
        [sys.executable, "-m", "support.rerun_failed"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_test_that_passes_when_repeated_is_named(tmp_path: Path) -> None:
    status, output = run(tmp_path, PASSING + ONCE)
    assert status == 0
    assert "1 passed" in output
    assert output.endswith("PASSED ONLY WHEN REPEATED, to be mended:\n  test_sample.py::test_once\n")


def test_a_test_that_fails_again_fails_the_run(tmp_path: Path) -> None:
    status, output = run(tmp_path, PASSING + ONCE + FAILING)
    assert status == 1
    assert "1 failed, 1 passed" in output
    assert "PASSED ONLY" not in output


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        ("".join(FAILING.replace("failing", f"failing_{n}") for n in range(6)), "6 tests failed"),
        (PASSING, "no test failed"),
    ],
    ids=["too-many", "none"],
)
def test_nothing_is_repeated(tmp_path: Path, tests: str, reason: str) -> None:
    status, output = run(tmp_path, tests)
    assert status == 1
    assert output.startswith(f"Error: {reason}")
    assert "Repeating" not in output


def test_a_module_that_cannot_be_loaded_fails_the_run(tmp_path: Path) -> None:
    status, output = run(tmp_path, "import missing_module\n")
    assert status != 0
    assert "PASSED ONLY" not in output
