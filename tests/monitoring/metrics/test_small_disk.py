"""Workers on a file system that is full or fills up: no process is killed, and no increment is lost.

Writing to a page of a mapped file that has no disk block ends a process by SIGBUS. A simulated error would
not show that, so each test mounts a file system of its own, which needs root.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

Mount = Callable[[str], Path]

PROGRAM = """
import os, sys, threading
from tallow.monitoring.exposition import text
from tallow.monitoring.metrics import METRICS, Counter, Histogram, Registered

counters = [
    Counter(f"events_{n}", "Events.", namespace="shop", labels={"kind": Registered()}) for n in range(40)
]
sizes = Histogram(
    "sizes_bytes", "Sizes.", namespace="shop", labels={"kind": Registered()}, buckets=tuple(range(1, 150))
)

def record(name):
    for counter in counters:
        for value in range(100):
            counter.inc(kind=f"{name}{value % 50}")
    for value in range(100):
        sizes.observe(value, kind=f"{name}{value}")

def total(page):
    return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith("shop_events_"))

def run():
    record("main")
    for number in range(5):
        thread = threading.Thread(target=record, args=(f"t{number}",))
        thread.start()
        thread.join()
    page = text.expose(METRICS.registry).decode()
    assert "shop_sizes_bytes_count" in page
    return total(page)

if len(sys.argv) > 1:  # fill what is left
    with open(sys.argv[1], "wb", buffering=0) as file:
        METRICS.record_error("network", "low")
        try:
            while file.write(bytes(4096)) == 4096:
                pass
        except OSError:
            pass
found = run()
child = os.fork()
if child == 0:
    run()
    os._exit(0)
status = os.waitpid(child, 0)[1]
print(found, status)
"""
RECORDED = 6 * 40 * 100
"""Increments of the parent alone."""


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a small file system in memory."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a file system needs root")
    mounted: list[Path] = []

    def make(options: str) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tallow-test", str(folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"this machine does not allow it: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "TALLOW_METRICS_DIR": str(folder)},
    )


def check(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode != -signal.SIGBUS
    assert done.returncode == 0, done.stderr
    recorded, status = done.stdout.splitlines()[-1].split()
    assert float(recorded) == RECORDED
    assert status == "0"  # of the forked child


@pytest.mark.parametrize(
    "options",
    [
        "size=4k",  # the first file does not fit
        "size=72k",  # one row fits, hardly any series
        "size=160k",
        "size=256k",
        "size=1m,nr_inodes=4",  # no more files
    ],
)
def test_a_disk_that_fills_up_ends_no_process(options: str, mount: Mount) -> None:
    check(run(mount(options)))


def test_a_disk_that_another_program_fills_ends_no_process(mount: Mount) -> None:
    folder = mount("size=1m")
    check(run(folder, str(folder / "filler")))


def test_a_worker_that_starts_beside_others_on_a_full_disk_ends_no_process(mount: Mount) -> None:
    folder = mount("size=200k")
    command = [sys.executable, "-c", PROGRAM]
    environment = {"PATH": os.environ["PATH"], "TALLOW_METRICS_DIR": str(folder)}
    others = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [other.wait(120) for other in others] == [0, 0]
