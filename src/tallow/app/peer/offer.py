"""What is sent, made ready while the receiver is waited for: files collected, metadata removed, hashed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallow.app.crypto.errors import SourceChangedError
from tallow.app.files.source import Source
from tallow.app.metadata import strip_all
from tallow.app.peer.errors import PeerError
from tallow.app.peer.interruptible import run_interruptible
from tallow.app.peer.manifest import MAX_FILES, Entry, Manifest
from tallow.monitoring.metrics import Metrics

STEP: Final = 8 << 20
"""Bytes that are read and hashed at a time."""


@dataclass(frozen=True)
class Offer:
    """What is sent: the files, in the manifest's order, and the manifest."""

    sources: Sequence[Source]
    manifest: Manifest

    @property
    def files(self) -> list[tuple[float, str | None]]:
        """Size and MIME type of each."""
        return [(source.size, source.mime_type) for source in self.sources]


async def prepare(
    sources: Sequence[Source],
    scratch: Path,
    metrics: Metrics,
    *,
    keep_metadata: bool,
    before: Manifest | None = None,
) -> Offer:
    """Make files ready to be sent.

    Args:
        scratch: a folder for pictures without their metadata; it must last as long as the offer.
        before: what an earlier run of this transfer has offered.

    Raises:
        FileError: a file cannot be read, or its metadata cannot be removed.
        PeerError: there are too many.
        SourceChangedError: a file is not what it was in the earlier run.
    """
    if len(sources) > MAX_FILES:
        raise PeerError(f"these are {len(sources)} files; accepted: up to {MAX_FILES}", "validation", "low")
    if not keep_metadata:
        chosen = sources
        sources = await run_interruptible(lambda stopped: strip_all(chosen, scratch, metrics, stopped))
    entries = [Entry(source.name, source.size, await _digest(source)) for source in sources]
    manifest = Manifest(tuple(entries))
    if before is not None and manifest != before:
        raise SourceChangedError(_changed(before, manifest))
    return Offer(sources, manifest)


async def _digest(source: Source) -> bytes:
    """SHA-256 of a file, step by step: whoever cancels does not wait for the whole of it."""
    hashed = hashlib.sha256()

    def step(offset: int) -> None:
        hashed.update(source.read(offset, STEP))

    try:
        for offset in range(0, source.size + 1, STEP):  # an empty file is looked at too
            await asyncio.to_thread(step, offset)
    finally:
        source.close()
    return hashed.digest()


def _changed(before: Manifest, now: Manifest) -> str | None:
    """Which file has changed, by name: this is told to its owner alone."""
    known = {entry.name: entry for entry in before.files}
    changed = [entry.name for entry in now.files if known.get(entry.name) != entry]
    if not changed:
        return None
    return f"{changed[0]} has changed since the transfer began; send it anew with a new link"
