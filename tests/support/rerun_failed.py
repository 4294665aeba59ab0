"""Run the tests that failed in the last run once more, one after the other, as CPython's test suite does.

A test can fail because others slowed it. The exit status is 0 only if all of them pass now, and the output
names them: a test that passes only when it is repeated is a fault, of itself or of the program.

Example::

    PYTHONPATH=tests python -m support.rerun_failed -m "not proof"
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

FAILED_TESTS: Final = Path(".pytest_cache/v/cache/lastfailed")
LIMIT: Final = 5
"""More failures than this are not the machine's."""


def main(arguments: Sequence[str]) -> int:
    """Repeat the failed tests of the working directory, unless there are too many; returns the exit status.

    Args:
        arguments: given to pytest.
    """
    failed = list(json.loads(FAILED_TESTS.read_text())) if FAILED_TESTS.exists() else []
    if not failed:
        return _give_up("no test failed that could be repeated: the run failed for another reason")
    if len(failed) > LIMIT:
        return _give_up(f"{len(failed)} tests failed; they are repeated if there are at most {LIMIT}")
    print(f"\nRepeating the failed tests: {len(failed)}", flush=True)
    command = (
        sys.executable,
        "-m",
        "pytest",
        "--last-failed",
        "--last-failed-no-failures",
        "none",
        *arguments,
    )
    status = subprocess.run(command, check=False).returncode
    if status == 0:
        print("\nPASSED ONLY WHEN REPEATED, to be mended:", *failed, sep="\n  ")
    return status


def _give_up(reason: str) -> int:
    print(f"Error: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
