"""Memory of browsers that send and receive a large file, against a small one: it must not grow with the size.

All processes of a browser count, each with its share of the pages that processes have in common (PSS).
``TALLOW_BENCH_PAGE_MEMORY_BYTES`` sets the size of the large file (default: 4 GB).
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from benchmarks.page import PATHS, Bench, page_to_page, two_browsers
from benchmarks.paired_measurement import Row
from support.web_app.files import make_file
from support.web_app.server import serving_page

LARGE: Final = int(os.environ.get("TALLOW_BENCH_PAGE_MEMORY_BYTES", "4000000000"))
SMALL: Final = 300_000_000
SAMPLE_S: Final = 1.0
BROWSERS: Final = ("sender", "receiver")


def rows() -> list[Row]:
    """The table's rows on the memory of the page."""
    with tempfile.TemporaryDirectory(prefix="tallow-bench-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        small, _ = peaks(folder / "small", SMALL)
        large, speed = peaks(folder / "large", LARGE)
    path = PATHS["relay"]
    made = [
        Row(
            f"peak memory of the {name}'s browser, {LARGE / 1e9:g} GB page to page, {path}",
            f"{SMALL / 1e6:g} MB",
            large[name],
            small[name],
            *(3 * [large[name] / small[name]]),
            "MB",
        )
        for name in BROWSERS
    ]
    print(f"{LARGE / 1e9:g} GB page to page, {path}: {speed:.1f} MB/s")
    return made


def peaks(folder: Path, size: int) -> tuple[dict[str, float], float]:
    """The peak memory of new browsers during one transfer, in megabytes, and its speed in MB/s."""
    source = make_file(folder / "source.bin", size)
    with (
        serving_page(folder / "server") as server,
        two_browsers(folder, None) as (sender, receiver),
        sampled(folder) as most,
    ):
        seconds = page_to_page(Bench(server.url, sender, receiver, source, folder, saves=False))
    return most, size / 1e6 / seconds


@contextmanager
def sampled(folder: Path) -> Iterator[dict[str, float]]:
    """The highest memory of each browser during a block. A browser is known by its profile's folder."""
    most = dict.fromkeys(BROWSERS, 0.0)
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_S):
            for name in BROWSERS:
                most[name] = max(most[name], memory(f"--user-data-dir={folder / name / 'profile'}"))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def memory(flag: str) -> float:
    """Megabytes of the processes of the browser that has a flag."""
    processes: dict[int, psutil.Process] = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if flag in process.cmdline():
                processes |= {one.pid: one for one in (process, *process.children(recursive=True))}
    return sum(map(share, processes.values()))


def share(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return float(process.memory_full_info().pss) / 1e6
    return 0.0
