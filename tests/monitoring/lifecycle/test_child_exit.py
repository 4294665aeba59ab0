"""Lines of short-lived children arrive, however they are started and end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tallow.monitoring.testing import log_endpoint

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")

CHILDREN = 25

PROGRAM = f"""
import multiprocessing, os, subprocess, sys
from concurrent.futures import ProcessPoolExecutor
from tallow.monitoring.logging import logger

NUMBERS = range({CHILDREN})

def work(number):
    logger.info("Child", number=number)

def fork():
    for number in NUMBERS:
        if os.fork() == 0:
            work(number)
            os._exit(0)
    for _ in NUMBERS:
        os.wait()

def pool():
    with ProcessPoolExecutor(2) as workers:
        list(workers.map(work, NUMBERS))

def start(method):
    context = multiprocessing.get_context(method)
    children = [context.Process(target=work, args=(number,)) for number in NUMBERS]
    for first in range(0, len(children), 5):
        for child in children[first:first + 5]:
            child.start()
        for child in children[first:first + 5]:
            child.join()

def programs():
    for number in NUMBERS:
        subprocess.run([sys.executable, "-c", f"import children; children.work({{number}})"], check=True)

if __name__ == "__main__":
    logger.info("Parent")
    kind = sys.argv[1]
    {{"fork": fork, "pool": pool, "programs": programs}}.get(kind, lambda: start(kind))()
"""

FORKED_WITHOUT_THE_LIBRARY = """
import os
for number in range(5):
    if os.fork() == 0:
        from tallow.monitoring.logging import logger
        logger.info("Child", number=number)
        os._exit(0)
for number in range(5):
    os.wait()
"""

FIRST_RECORD_AND_FORK = """
import os, sys, threading
from tallow.monitoring.logging import logger
threading.Thread(target=logger.info, args=("Thread",)).start()
for number in range(3):
    child = os.fork()
    if child == 0:
        logger.info("Child", number=number)
        os._exit(0)
    os.waitpid(child, 0)
"""

EXIT_OF_THE_PARENT = """
import os
from tallow.monitoring.logging import logger
logger.info("Parent")
assert os._exit is __import__("posix")._exit
child = os.fork()
if child == 0:
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.parametrize(
    "kind",
    [
        "fork",
        "pool",
        pytest.param("forkserver", marks=pytest.mark.slow),
        pytest.param("spawn", marks=pytest.mark.proof),
        pytest.param("programs", marks=pytest.mark.proof),
    ],
)
def test_the_lines_of_all_children_arrive_on_standard_output_and_at_the_log_endpoint(
    kind: str, tmp_path: Path
) -> None:
    (tmp_path / "children.py").write_text(PROGRAM)
    with log_endpoint() as endpoint:
        done = run(["children.py", kind], tmp_path, LOG_ENDPOINT=endpoint.url)
        assert done.stdout.count('"message":"Child"') == CHILDREN
        assert endpoint.messages.count("Child") == CHILDREN
        assert endpoint.messages.count("Parent") == 1


def test_a_child_that_loads_the_library_after_the_fork_writes_its_lines(tmp_path: Path) -> None:
    done = run(["-c", FORKED_WITHOUT_THE_LIBRARY], tmp_path)
    assert done.stdout.count('"message":"Child"') == 5


def test_os_exit_keeps_the_status_and_is_replaced_in_children_only(tmp_path: Path) -> None:
    assert '"message":"Parent"' in run(["-c", EXIT_OF_THE_PARENT], tmp_path).stdout


def test_a_fork_while_a_thread_writes_its_first_record_does_not_hang(tmp_path: Path) -> None:
    """The first record configures logging and imports modules. run() fails if a process does not end."""
    for _ in range(6):
        done = run(["-c", FIRST_RECORD_AND_FORK], tmp_path)
        assert done.stdout.count('"message":"Child"') == 3
        assert done.stdout.count('"message":"Thread"') == 1


def run(arguments: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python. Python 3.12 and later warn about a fork of a process with threads."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done
