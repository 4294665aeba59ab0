"""What is sent: metadata removed before a link is given out, and hashed while the receiver is waited for."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallow.app.crypto.errors import SourceChangedError
from tallow.app.files.errors import printable
from tallow.app.files.source_file import SourceFile
from tallow.app.metadata.strip import strip_all
from tallow.app.peer.errors import PeerError
from tallow.app.peer.tasks import run_interruptible
from tallow.app.peer.transfer.manifest import (
    MAX_BYTES,
    MAX_FILES,
    MAX_NAME,
    MAX_SIZE,
    Manifest,
    ManifestEntry,
)
from tallow.monitoring.metrics import Metrics

STEP: Final = 8 << 20
"""Bytes that are read and hashed at a time."""


@dataclass(frozen=True)
class PreparedFiles:
    """What is sent: the files, in the manifest's order, and the manifest."""

    sources: Sequence[SourceFile]
    manifest: Manifest

    @property
    def sizes_and_types(self) -> list[tuple[float, str | None]]:
        """Size and MIME type of each."""
        return [(source.size, source.mime_type) for source in self.sources]


async def prepare(
    sources: Sequence[SourceFile],
    scratch: Path,
    metrics: Metrics,
    *,
    keep_metadata: bool,
    before: Manifest | None = None,
) -> PreparedFiles:
    """Make files ready to be sent: :func:`clean`, then :func:`describe`."""
    cleaned = await strip_files(sources, scratch, metrics, keep_metadata=keep_metadata)
    return await build_manifest(cleaned, before)


async def strip_files(
    sources: Sequence[SourceFile], scratch: Path, metrics: Metrics, *, keep_metadata: bool
) -> Sequence[SourceFile]:
    """The files as they will be sent: pictures without their metadata. Finds whatever keeps them from being
    sent, short of reading all their bytes: a link is not given out before this has succeeded.

    Args:
        scratch: a folder for cleaned copies; it must last as long as what is returned.

    Raises:
        FileError: a file cannot be read, or its metadata cannot be removed.
        PeerError: there are too many, or their names are too long.
    """
    check_manifest_limits(sources)
    if keep_metadata:
        return sources
    return await run_interruptible(lambda stopped: strip_all(sources, scratch, metrics, stopped))


async def build_manifest(sources: Sequence[SourceFile], before: Manifest | None = None) -> PreparedFiles:
    """The files with their manifest, for which each is read and hashed.

    Args:
        before: what an earlier run of this transfer has offered.

    Raises:
        FileError: a file cannot be read any more.
        SourceChangedError: a file is not what it was in the earlier run.
    """
    entries = [ManifestEntry(source.name, source.size, await _digest(source)) for source in sources]
    manifest = Manifest(tuple(entries))
    if before is not None and manifest != before:
        raise SourceChangedError(_changed(before, manifest))
    return PreparedFiles(sources, manifest)


def check_manifest_limits(sources: Sequence[SourceFile]) -> None:
    """Refuse what a manifest cannot hold, so that no receiver would take it.

    Raises:
        PeerError: one line that says what is too much, and what is accepted.
    """
    problem = None
    if len(sources) > MAX_FILES:
        problem = f"these are {len(sources)} files; accepted: up to {MAX_FILES}"
    elif too_long := next((source for source in sources if len(source.name) > MAX_NAME), None):
        shortened = printable(f"{too_long.name[:40]}…{too_long.name[-40:]}")
        problem = f"the name {shortened} has {len(too_long.name)} characters; accepted: up to {MAX_NAME}"
    elif too_large := next((source for source in sources if source.size > MAX_SIZE), None):
        problem = f"{printable(too_large.name)} has {too_large.size} bytes; accepted: up to {MAX_SIZE}"
    elif (size := _document_size(sources)) > MAX_BYTES:
        problem = f"the list of all names has {size} bytes; accepted: up to {MAX_BYTES}. Send fewer files"
    if problem is not None:
        raise PeerError(problem, "validation", "low")


def _document_size(sources: Sequence[SourceFile]) -> int:
    """Bytes of the manifest; what it says of contents is always equally long."""
    return len(
        Manifest(tuple(ManifestEntry(source.name, source.size, bytes(32)) for source in sources)).encode()
    )


async def _digest(source: SourceFile) -> bytes:
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
