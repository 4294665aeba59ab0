"""Prepares the files to send: removes metadata, then hashes them for the manifest."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Final

from tallow.app.crypto.errors import SourceChangedError
from tallow.app.files.errors import printable
from tallow.app.files.small_sources import grouped, is_small, read_whole
from tallow.app.files.source_file import SourceFile
from tallow.app.files.source_tree import SourceTree
from tallow.app.metadata.strip import strip_all
from tallow.app.peer.errors import PeerError
from tallow.app.peer.tasks import run_interruptible
from tallow.app.peer.transfer.manifest import (
    MAX_BYTES,
    MAX_ENTRIES,
    MAX_NAME,
    MAX_SIZE,
    FolderEntry,
    LinkEntry,
    Manifest,
    ManifestEntry,
)
from tallow.monitoring.metrics import Metrics

STEP: Final = 8 << 20
"""Bytes read and hashed at a time."""


@dataclass(frozen=True)
class PreparedFiles:
    """Files to send, in the order of the manifest, and the manifest with folders and links."""

    sources: Sequence[SourceFile]
    manifest: Manifest

    @property
    def sizes_and_types(self) -> list[tuple[float, str | None]]:
        """Size and MIME type of each file."""
        return [(source.size, source.mime_type) for source in self.sources]


async def prepare(
    tree: SourceTree,
    scratch: Path,
    metrics: Metrics,
    *,
    keep_metadata: bool,
    before: Manifest | None = None,
) -> PreparedFiles:
    """:func:`strip_files`, then :func:`build_manifest`."""
    cleaned = await strip_files(tree, scratch, metrics, keep_metadata=keep_metadata)
    return await build_manifest(cleaned, before)


async def strip_files(
    tree: SourceTree, scratch: Path, metrics: Metrics, *, keep_metadata: bool
) -> SourceTree:
    """The files and folders as they will be sent: pictures without metadata.

    Detects everything that would prevent sending, except errors while reading all bytes. A link is given out
    only after this succeeded.

    Args:
        scratch: folder for cleaned copies; it must exist as long as the returned files are used.

    Raises:
        FileError: a file cannot be read, or its metadata cannot be removed.
        PeerError: there are too many files, or a name is too long.
    """
    check_manifest_limits(tree)
    if keep_metadata:
        return tree
    cleaned = await run_interruptible(lambda stopped: strip_all(tree.files, scratch, metrics, stopped))
    return replace(tree, files=cleaned)


async def build_manifest(
    tree: SourceTree, before: Manifest | None = None, *, is_text: bool = False
) -> PreparedFiles:
    """Read and hash the files for the manifest.

    Args:
        is_text: the only file is a text for the person at the receiver.
        before: manifest of an earlier run of this transfer.

    Raises:
        FileError: a file cannot be read.
        SourceChangedError: a file differs from the earlier run.
    """
    manifest = _manifest(tree, await _digests(tree.files), is_text=is_text)
    if before is not None and manifest != before:
        raise SourceChangedError(_changed(before, manifest))
    return PreparedFiles(tree.files, manifest)


def check_manifest_limits(tree: SourceTree) -> None:
    """Check the limits of a manifest, which every receiver enforces.

    Raises:
        PeerError: one line that names the value and the limit.
    """
    problem = next(_limit_problems(tree), None)
    if problem is not None:
        raise PeerError(problem, "validation", "low")


def _limit_problems(tree: SourceTree) -> Iterator[str]:
    count = len(tree.files) + len(tree.folders) + len(tree.links)
    if count > MAX_ENTRIES:
        yield f"{count:,} files, folders and links were given; accepted: up to {MAX_ENTRIES:,}"
    for name in chain(*([entry.name for entry in kind] for kind in (tree.files, tree.folders, tree.links))):
        if len(name) > MAX_NAME:
            shortened = printable(f"{name[:40]}…{name[-40:]}")
            yield f"the name {shortened} has {len(name)} characters; accepted: up to {MAX_NAME}"
    for source in tree.files:
        if source.size > MAX_SIZE:
            yield f"{printable(source.name)} has {source.size} bytes; accepted: up to {MAX_SIZE}"
    size = len(_manifest(tree, [bytes(32)] * len(tree.files)).encode())
    if size > MAX_BYTES:
        yield f"the list of all names has {size} bytes; accepted: up to {MAX_BYTES}. Send fewer files"


def _manifest(tree: SourceTree, digests: Sequence[bytes], *, is_text: bool = False) -> Manifest:
    return Manifest(
        tuple(
            ManifestEntry(source.name, source.size, digest, source.attributes)
            for source, digest in zip(tree.files, digests, strict=True)
        ),
        tuple(FolderEntry(folder.name, folder.attributes) for folder in tree.folders),
        tuple(LinkEntry(link.name, link.target) for link in tree.links),
        is_text,
    )


async def _digests(sources: Sequence[SourceFile]) -> Sequence[bytes]:
    """SHA-256 of files. Small ones are read and hashed together."""
    digests: list[bytes] = []
    for group in grouped(range(len(sources)), lambda file: is_small(sources[file])):
        files = [sources[file] for file in group]
        if is_small(files[0]):
            digests += await asyncio.to_thread(_small_digests, files)
        else:
            digests.append(await _digest(files[0]))
    return digests


def _small_digests(sources: Sequence[SourceFile]) -> Sequence[bytes]:
    contents, error = read_whole(sources)
    if error is not None:
        raise error
    return [hashlib.sha256(content).digest() for content in contents]


async def _digest(source: SourceFile) -> bytes:
    """SHA-256 of a file, read in steps so that a cancelled caller waits for one step only."""
    hashed = hashlib.sha256()

    def step(offset: int) -> None:
        hashed.update(source.read(offset, STEP))

    try:
        for offset in range(0, source.size, STEP):
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
