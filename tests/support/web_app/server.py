"""``tallow serve`` for tests that drive browsers and are not asynchronous."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from support.web_app.tabs import POLL_S, WAIT_S

Samples = dict[str, float]


@dataclass(frozen=True)
class PageServer:
    """A running server with its output in a file."""

    url: str
    log: Path

    def metrics(self) -> Samples:
        """Every sample of one scrape, by name and labels as in the exposition."""
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def wait_for(self, sample: str, value: float) -> Samples:
        """Wait until a sample has a value; returns that scrape."""
        end = time.monotonic() + WAIT_S
        while (found := self.metrics()).get(sample) != value:
            assert time.monotonic() < end, f"{sample} is {found.get(sample)}, not {value}"
            time.sleep(POLL_S)
        return found


def changes(before: Samples, after: Samples, *families: str) -> Samples:
    """By how much the samples of some families have changed, without those that have not."""
    prefixes = tuple(f"tallow_{family}" for family in families)
    found = {
        name.removeprefix("tallow_"): after[name] - before.get(name, 0)
        for name in after
        if name.startswith(prefixes)
    }
    return {name: amount for name, amount in found.items() if amount}


@contextlib.contextmanager
def serving_page(folder: Path, *options: str, **environment: str) -> Iterator[PageServer]:
    """Run ``tallow serve`` on a free loopback port."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    command = [sys.executable, "-m", "tallow", "serve", "--port", "0", "--data-dir", str(folder), *options]
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            env=os.environ | environment,
            cwd=folder,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        try:
            announced = process.stderr.readline()
            assert announced.startswith("Tallow listens on "), announced
            yield PageServer(announced.split()[-1], log)
        finally:
            process.terminate()
            process.communicate()
