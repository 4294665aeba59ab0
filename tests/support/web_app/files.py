"""Files that a test sends, and what a browser saved."""

from __future__ import annotations

import os
import time
from pathlib import Path

from support.web_app.tabs import POLL_S, WAIT_S, Tab


def make_file(path: Path, size: int) -> Path:
    """A file with random content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        for start in range(0, size, 1 << 20):
            out.write(os.urandom(min(1 << 20, size - start)))
    return path


def wait_for_download(tab: Tab, folder: Path, name: str, size: int | None = None) -> Path:
    """Wait until the browser has saved a file completely: under its name, and nothing partial beside it."""
    end = time.monotonic() + WAIT_S
    wanted = folder / name
    while True:
        found = sorted(path.name for path in folder.iterdir())
        complete = wanted.exists() and (size is None or wanted.stat().st_size == size)
        if complete and not any(path.endswith((".part", ".crdownload")) for path in found):
            return wanted
        assert time.monotonic() < end, f"{name} was not saved; the folder has {found}"
        tab.run("true")  # Playwright handles a download while it waits for an answer
        time.sleep(POLL_S)
