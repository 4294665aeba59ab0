"""A receiver at the command line that is paused, so that a sender's page can be loaded again meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from support.web_app.tabs import Tab, wait_until
from support.web_app.transfers import command_line

SIZE: Final = 240_000_000
"""More than the relay and the sockets hold while the receiver is paused."""
_MOVING: Final = "document.querySelector('[data-state=transferring] progress')?.value > 0"
ASKS: Final = "document.querySelector('[data-role=sender] [data-choose=files]') !== null"
"""Whether the sender's page asks for its files again."""


@contextlib.contextmanager
def paused_receiver(link: str, folder: Path, tab: Tab) -> Iterator[subprocess.Popen[str]]:
    """A receiver that has begun to receive, and is paused until ``go_on``.

    What it has written decides: on a loaded machine the page may show the first bytes when all are sent.
    """
    with command_line("receive", "--yes", "--relay", "-o", str(folder), stdin=link) as receiver:
        while not _has_bytes(folder):
            assert receiver.poll() is None, receiver.communicate()
            time.sleep(0.01)
        os.kill(receiver.pid, signal.SIGSTOP)
        try:
            wait_until(tab, _MOVING)
            yield receiver
        finally:
            if receiver.poll() is None:
                os.kill(receiver.pid, signal.SIGCONT)


def _has_bytes(folder: Path) -> bool:
    return any(path.is_file() and path.stat().st_size for path in folder.rglob("*"))


def go_on(receiver: subprocess.Popen[str]) -> int:
    """Continue a paused receiver; returns its exit status."""
    os.kill(receiver.pid, signal.SIGCONT)
    return receiver.wait(timeout=120)


def tab_of(request: pytest.FixtureRequest, browser_name: str) -> Tab:
    """A tab of Chromium or Firefox."""
    found: Tab = (
        request.getfixturevalue("new_tab")()
        if browser_name == "chromium"
        else request.getfixturevalue("firefox_tab")
    )
    return found
