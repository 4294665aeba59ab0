"""100,000 files in one folder cross between two commands, in linear time and bounded memory."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.transfers.server import RunningServer, serving

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3600)]

FEW, MANY = 10_000, 100_000
BYTES_PER_FILE = 4096
"""Memory of either side for each further file."""
KEPT_RATIO = 2.0
"""Share of quadratic work that would be noticed: linear work has a ratio of 1, quadratic work one of 10."""
POLL_S = 0.1


@dataclass(frozen=True)
class Usage:
    """What a command has used."""

    cpu_s: float
    peak_bytes: int


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    (tmp_path / "server").mkdir()
    async with serving(tmp_path / "server") as running:
        yield running


def start(home: Path, output: int, *command: str) -> subprocess.Popen[bytes]:
    names = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMPDIR")
    for name in names:
        (home / name).mkdir(parents=True)
    own = {name: str(home / name) for name in names}
    return subprocess.Popen([sys.executable, "-m", "tallow", *command], env=os.environ | own, stdout=output)


def usage(process: subprocess.Popen[bytes]) -> Usage:
    """Read what a command prints, and wait for it; it must succeed.

    The largest resident memory of ``wait4`` is that of this process if it is larger, since it started the
    command. The kernel's own figure of the command is read until the command has ended.
    """
    peak, status = 0, Path(f"/proc/{process.pid}/status")
    drained = threading.Thread(target=process.stdout.read if process.stdout else lambda: None)
    drained.start()
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        peak = int(found[1]) * 1024 if found else peak
        time.sleep(POLL_S)
    drained.join()
    _, ended, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(ended)
    assert process.returncode == 0
    return Usage(used.ru_utime + used.ru_stime, peak)


def transfer(url: str, folder: Path, files: int) -> tuple[Usage, ...]:
    root = folder / "t"
    root.mkdir(parents=True)
    for number in range(files):
        (root / f"{number}").write_bytes(b"x")
    started = time.monotonic()
    sender = start(folder / "s", subprocess.PIPE, "send", "--json", "--server", url, str(root))
    assert sender.stdout
    link = ""
    while not link:
        link = json.loads(sender.stdout.readline()).get("link", "")
    prepared = time.monotonic()
    receiving = ("receive", "--json", "--yes", "-o", str(folder / "out"), link)
    receiver = start(folder / "r", subprocess.DEVNULL, *receiving)
    with ThreadPoolExecutor() as threads:  # at the same time: a peak is read while the command runs
        sides = tuple(threads.map(usage, (sender, receiver)))
    sender.stdout.close()
    ended = time.monotonic()
    assert sum(1 for _ in (folder / "out" / "t").iterdir()) == files
    for side, used in zip(("sender", "receiver"), sides, strict=True):
        print(f"\n{files:,} files, {side}: {used.cpu_s:.1f} s of CPU, {used.peak_bytes / 1e6:.0f} MB", end="")
    print(f"\n{files:,} files: link after {prepared - started:.1f} s, all after {ended - started:.1f} s")
    return sides


async def test_a_hundred_thousand_files_in_one_folder_cross(server: RunningServer, tmp_path: Path) -> None:
    few = await asyncio.to_thread(transfer, server.url, tmp_path / "few", FEW)
    many = await asyncio.to_thread(transfer, server.url, tmp_path / "many", MANY)
    for before, after in zip(few, many, strict=True):
        assert after.cpu_s / before.cpu_s < KEPT_RATIO * MANY / FEW
        assert (after.peak_bytes - before.peak_bytes) / (MANY - FEW) < BYTES_PER_FILE
