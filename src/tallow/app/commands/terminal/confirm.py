"""The question to the person at the terminal whether to receive the offered files."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tallow.app.peer.transfer.manifest import Manifest

MAX_ANSWER: Final = 1024
_ANSWERS: Final = {"y": True, "yes": True, "n": False, "no": False, "": False}


class TerminalConfirmation:
    """Asks, and reads the answer from standard input, which must be a terminal.

    Args:
        folder: destination of the files.
        ask: shows a question. It must not block.
    """

    def __init__(self, folder: Path, ask: Callable[[str], None]) -> None:
        self._folder = folder
        self._ask = ask

    async def __call__(self, manifest: Manifest) -> bool:
        """The answer; the end of the input is a no. Cancelling withdraws the question."""
        many = f"these {len(manifest.files):,} files" if len(manifest.files) != 1 else "this file"
        question = f"Receive {many} into {self._folder.absolute()}? [y/N] "
        try:
            while True:
                self._ask(question)
                answer = await _line(sys.stdin.fileno())
                if answer is None:
                    return False
                if (found := _ANSWERS.get(answer.strip().lower())) is not None:
                    return found
        except asyncio.CancelledError:
            self._ask("\n")  # end the line of the question
            raise


async def _line(terminal: int) -> str | None:
    """The next line; None at the end of the input.

    Uses the event loop's reader: a blocking read in a thread could not be cancelled.
    """
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    typed = b""
    loop.add_reader(terminal, came.set)
    try:
        while not typed.endswith(b"\n") and len(typed) < MAX_ANSWER:
            await came.wait()
            came.clear()
            read = _read(terminal)
            if not read:
                return None
            typed += read
    finally:
        loop.remove_reader(terminal)
    return typed.decode(errors="replace")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, MAX_ANSWER)
    except OSError:  # the terminal was closed
        return b""
