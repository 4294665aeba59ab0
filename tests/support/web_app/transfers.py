"""Steps of a transfer in a tab, and command-line peers beside it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from support.web_app.tabs import WAIT_S, Tab, wait_until

CHOOSE_FILES: Final = "[data-choose=files]"
CREATE_LINK: Final = "button.wide"
PRIMARY: Final = "main button.primary"
STATE: Final = "document.querySelector('[data-state]')?.dataset.state"


def start_send(tab: Tab, files: Sequence[Path]) -> str:
    """Choose files and create their link."""
    wait_until(tab, f"document.querySelector('{CHOOSE_FILES}') !== null")
    tab.choose(CHOOSE_FILES, files)
    tab.click(CREATE_LINK)
    return link_of(tab)


def link_of(tab: Tab) -> str:
    """The link that a sending tab shows."""
    link: str = wait_until(tab, "document.querySelector('#link')?.value")
    return link


def accept(tab: Tab) -> None:
    """Accept what is offered to a receiving tab."""
    wait_for_state(tab, "confirming")
    tab.click(PRIMARY)


def wait_for_state(tab: Tab, *states: str, seconds: float = WAIT_S) -> str:
    """Wait until the tab's transfer is in one of the states, and return it."""
    found: str = wait_until(
        tab, f"{json.dumps(states)}.includes({STATE}) ? {STATE} : (() => false)()", seconds
    )
    return found


def shown_error(tab: Tab) -> str:
    """The code of the error that a tab shows."""
    code: str = wait_until(tab, "document.querySelector('[data-error]')?.dataset.error")
    return code


@contextlib.contextmanager
def command_line(
    *arguments: str, stdin: str | None = None, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """A ``tallow`` command that runs beside a tab."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tallow", *arguments],
        env=os.environ | environment,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if stdin is not None:
            assert process.stdin is not None
            process.stdin.write(stdin)
            process.stdin.close()
            process.stdin = None
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate()
