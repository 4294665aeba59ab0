"""Received data that is shown or written to standard output instead of being kept."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tallow.app.peer.display import Display, JsonLines
from tallow.app.peer.errors import PeerError
from tallow.app.peer.transfer.confirmation import Confirm
from tallow.app.peer.transfer.manifest import Manifest


class SingleFile:
    """Refuses what does not fit into standard output, and then asks.

    Args:
        confirm: asks the person here; None: the answer is yes.
    """

    def __init__(self, confirm: Confirm | None) -> None:
        self._confirm = confirm

    async def __call__(self, manifest: Manifest) -> bool:
        """The answer.

        Raises:
            PeerError: several files cannot be written to standard output.
        """
        if len(manifest.files) != 1 or manifest.folders or manifest.links:
            text = "the sender offers more than one file: -o - takes a single file"
            raise PeerError(text, "validation", "low")
        return True if self._confirm is None else await self._confirm(manifest)


def show_text(display: Display, paths: Mapping[int, str]) -> None:
    """Print a received text, and remove its file. A terminal gets no control characters."""
    path = Path(paths[0])
    text = path.read_bytes().decode("utf-8", "replace")
    if isinstance(display, JsonLines):
        display("text", text=text)
    else:
        display.close()
        visible = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)
        sys.stdout.write(visible if visible.endswith("\n") else f"{visible}\n")
        sys.stdout.flush()
    with suppress(OSError):
        path.unlink()


def write_to_standard_output(paths: Mapping[int, str]) -> None:
    """Copy the received and verified file to standard output. Blocks."""
    if 0 in paths and Path(paths[0]).exists():  # a text has been shown already
        with Path(paths[0]).open("rb") as file, os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
            shutil.copyfileobj(file, out)
