"""Received data that is shown or written to standard output instead of being kept."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tallow.app.peer.display.display import Display
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
    """Show a received text, and remove its file once the text was read. Blocks until then.

    Raises:
        PeerError: the reader of standard output has gone.
    """
    path = Path(paths[0])
    display("text", text=path.read_bytes().decode("utf-8", "replace"))
    if not display.wait_until_read():
        raise PeerError("the received text cannot be written to standard output", "filesystem", "low")
    with suppress(OSError):
        path.unlink()


def write_to_standard_output(paths: Mapping[int, str]) -> None:
    """Copy the received and verified file to standard output. Blocks."""
    if 0 in paths and Path(paths[0]).exists():  # a text has been shown already
        with Path(paths[0]).open("rb") as file, os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
            shutil.copyfileobj(file, out)
