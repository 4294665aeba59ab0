"""Prepares the files to send: removes metadata, then hashes them for the manifest."""

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
"""Bytes read and hashed at a time."""


@dataclass(frozen=True)
class PreparedFiles:
    """Files to send, in the order of the manifest."""

    sources: Sequence[SourceFile]
    manifest: Manifest

    @property
    def sizes_and_types(self) -> list[tuple[float, str | None]]:
        """Size and MIME type of each file."""
        return [(source.size, source.mime_type) for source in self.sources]


async def prepare(
    sources: Sequence[SourceFile],
    scratch: Path,
    metrics: Metrics,
    *,
    keep_metadata: bool,
    before: Manifest | None = None,
) -> PreparedFiles:
    """:func:`strip_files`, then :func:`build_manifest`."""
    cleaned = await strip_files(sources, scratch, metrics, keep_metadata=keep_metadata)
    return await build_manifest(cleaned, before)


async def strip_files(
    sources: Sequence[SourceFile], scratch: Path, metrics: Metrics, *, keep_metadata: bool
) -> Sequence[SourceFile]:
    """The files as they will be sent: pictures without metadata.

    Detects everything that would prevent sending, except errors while reading all bytes. A link is given out
    only after this succeeded.

    Args:
        scratch: folder for cleaned copies; it must exist as long as the returned files are used.

    Raises:
        FileError: a file cannot be read, or its metadata cannot be removed.
        PeerError: there are too many files, or a name is too long.
    """
    check_manifest_limits(sources)
    if keep_metadata:
        return sources
    return await run_interruptible(lambda stopped: strip_all(sources, scratch, metrics, stopped))


async def build_manifest(sources: Sequence[SourceFile], before: Manifest | None = None) -> PreparedFiles:
    """Read and hash the files for the manifest.

    Args:
        before: manifest of an earlier run of this transfer.

    Raises:
        FileError: a file cannot be read.
        SourceChangedError: a file differs from the earlier run.
    """
    entries = [ManifestEntry(source.name, source.size, await _digest(source)) for source in sources]
    manifest = Manifest(tuple(entries))
    if before is not None and manifest != before:
        raise SourceChangedError(_changed(before, manifest))
    return PreparedFiles(sources, manifest)


def check_manifest_limits(sources: Sequence[SourceFile]) -> None:
    """Check the limits of a manifest, which every receiver enforces.

    Raises:
        PeerError: one line that names the value and the limit.
    """
    problem = None
    if len(sources) > MAX_FILES:
        problem = f"{len(sources)} files were given; accepted: up to {MAX_FILES}"
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
    """Size of the encoded manifest. Hashes have a fixed length, so zeros stand for them."""
    return len(
        Manifest(tuple(ManifestEntry(source.name, source.size, bytes(32)) for source in sources)).encode()
    )


async def _digest(source: SourceFile) -> bytes:
    """SHA-256 of a file, read in steps so that a cancelled caller waits for one step only."""
    hashed = hashlib.sha256()

    def step(offset: int) -> None:
        hashed.update(source.read(offset, STEP))

    try:
        for offset in range(0, source.size + 1, STEP):  # an empty file is read, too: it may have changed
            await asyncio.to_thread(step, offset)
    finally:
        source.close()
    return hashed.digest()


def _changed(before: Manifest, now: Manifest) -> str | None:
    """Text that names the first changed file. It is shown to the sender only."""
    known = {entry.name: entry for entry in before.files}
    changed = [entry.name for entry in now.files if known.get(entry.name) != entry]
    if not changed:
        return None
    return f"{changed[0]} has changed since the transfer began; send it anew with a new link"
