"""Receives the files over one connection into a folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from tallow.app.crypto.errors import SourceChangedError
from tallow.app.crypto.frames import FrameHeader, FrameType
from tallow.app.files.destination import DestinationFolder
from tallow.app.files.partial_file import PartialFile
from tallow.app.files.small_files import MAX_SMALL_BYTES, SmallFile, WrittenFiles, write_small_files
from tallow.app.peer.batches import BatchQueue
from tallow.app.peer.connection.connector import transfer_method
from tallow.app.peer.connection.secure_channel import SecureChannel
from tallow.app.peer.tasks import run_interruptible, start_task
from tallow.app.peer.transfer.manifest import MAX_BYTES, Manifest, ManifestEntry, ResumeOffer
from tallow.app.peer.transfer.progress import TransferProgress
from tallow.app.peer.transfer.resume_state import ReceiverState
from tallow.monitoring.metrics import Metrics

SMALL_FILES: Final = 64
"""Small files that are written together, and that may wait in memory: 4 MiB each."""
BLOCKS: Final = 16
"""Blocks of a large file that are written together, and that may wait in memory: 4 MiB each."""


class FileReceiver:
    """Receives over one connection into a folder.

    Args:
        state: files that earlier connections of this transfer received.
        resume_key: names partial files.
        confirm: returns once the person here accepted the files.
        on_data_flow: is called after the answer to the manifest was sent.
    """

    def __init__(
        self,
        secure: SecureChannel,
        destination: DestinationFolder,
        state: ReceiverState,
        resume_key: bytes,
        metrics: Metrics,
        progress: TransferProgress,
        confirm: Callable[[Manifest], Awaitable[None]],
        on_data_flow: Callable[[], None],
    ) -> None:
        self._secure = secure
        self._destination = destination
        self._state = state
        self._resume_key = resume_key
        self._metrics = metrics
        self._progress = progress
        self._method = transfer_method(secure.channel)
        self._confirm = confirm
        self._on_data_flow = on_data_flow
        self._small_files = BatchQueue(self._write_small_files, SMALL_FILES)
        self._known_folders = 0
        self._attributes_kept = True
        self._links_kept = True

    async def receive(self) -> Manifest:
        """Receive all missing files and confirm them to the sender.

        Raises:
            ProtocolError, ChannelError: see :class:`SecureChannel`.
            FileError: a file cannot be written.
            NotConfirmedError: the person here does not accept the files.
        """
        secure = self._secure
        manifest = Manifest.decode(await secure.receive_document(FrameType.MANIFEST, MAX_BYTES))
        resumed = self._state.has_manifest
        if not self._state.accept_manifest(manifest):
            raise SourceChangedError("the sender offers other files than before the interruption")
        self._progress.announce(manifest, listed=True)
        await self._confirm(manifest)
        if resumed:
            await self._find_complete(manifest)
        try:
            await self._receive_missing(manifest)
            await asyncio.to_thread(self._finish_folders, manifest)
            self._report_losses()
        finally:
            self._state.save()
        secure.sequence.expect(FrameType.FINISH)
        await secure.receive()
        await secure.send(FrameHeader(FrameType.FINISH))
        return manifest

    def _report_losses(self) -> None:
        """Tell the person here what the file system could not keep."""
        if not self._attributes_kept:
            self._progress.warn(
                "this file system cannot keep all permissions and times of the received files"
            )
        if not self._links_kept:
            self._progress.warn("this file system has no symbolic links: some links were not made")

    async def _find_complete(self, manifest: Manifest) -> None:
        """Find files that got their final name just before an interruption and are not in the saved state."""
        complete = self._state.completed_files
        for number, entry in enumerate(manifest.files):
            if number not in complete:
                arguments = (entry.name, entry.size, entry.sha256)
                path = await asyncio.to_thread(self._destination.find_complete, *arguments)
                if path is None:
                    return
                self._state.file_finished(number, path)

    async def _receive_missing(self, manifest: Manifest) -> None:
        """Tell the sender what is here, and receive the rest."""
        done = self._state.completed_files
        missing = [file for file in range(len(manifest.files)) if file not in done]
        # Files are transferred in order: only the first missing one can be here in part.
        partial = await self._open_partial(manifest, missing[0]) if missing else None
        have = {missing[0]: partial.received} if partial is not None and partial.received else {}
        received = sum(manifest.files[file].size for file in done) + sum(have.values())
        self._progress.resume_at(received)
        try:
            self._destination.check_free_space(manifest.size - received)
            answer = ResumeOffer(have, frozenset(done))
            await self._secure.send_document(FrameType.ACCEPT, answer.encode())
            self._on_data_flow()
            for file in missing:
                await self._receive_file(manifest, file, partial)
                partial = None
            await self._small_files.finish()
        finally:
            await self._small_files.close()
            if partial is not None:
                partial.close()

    async def _receive_file(self, manifest: Manifest, file: int, partial: PartialFile | None) -> None:
        """Receive one file, into ``partial`` if it is given."""
        if partial is None and _is_small(manifest.files[file]):
            await self._receive_small_file(manifest.files[file], file)
            return
        await self._small_files.finish()  # files are complete in their order
        if partial is None:
            partial = await self._open_partial(manifest, file, empty=True)
        try:
            await self._receive_large_file(manifest.files[file], file, partial)
        finally:
            partial.close()

    async def _open_partial(self, manifest: Manifest, file: int, *, empty: bool = False) -> PartialFile:
        """Open a partial file; with ``empty``, drop received bytes that the sender does not know of."""
        entry = manifest.files[file]

        def open_it(stopped: Callable[[], bool]) -> PartialFile:
            arguments = (
                entry.name,
                entry.size,
                entry.sha256,
                self._resume_key,
                stopped,
                entry.attributes,
            )
            partial = self._destination.open_partial(*arguments)
            if empty and partial.received:
                partial.discard()
                partial = self._destination.open_partial(*arguments)
            return partial

        # A cancelled attempt must not keep the file locked: the next one opens it again.
        partial = await run_interruptible(open_it, release=PartialFile.close)
        self._state.partial_started(partial.path, partial.size, self._new_folders())
        return partial

    def _new_folders(self) -> Sequence[Path]:
        """Folders that were made since the last call."""
        made = self._destination.created_folders[self._known_folders :]
        self._known_folders += len(made)
        return made

    def _finish_folders(self, manifest: Manifest) -> None:
        """Make empty folders and links, and set the attributes of folders. All files are here. Blocks."""
        for folder in manifest.folders:
            self._destination.make_folder(folder.name)
        links = [self._destination.make_link(link.name, link.target) for link in manifest.links]
        self._state.add_folders(self._new_folders())
        made = {Path(folder) for folder in self._state.folders}
        for folder in sorted(manifest.folders, key=lambda one: one.name.count("/"), reverse=True):
            kept = self._destination.finish_folder(folder.name, folder.attributes, made)
            self._attributes_kept = self._attributes_kept and kept
        self._links_kept = all(links)

    async def _receive_large_file(self, entry: ManifestEntry, file: int, partial: PartialFile) -> None:
        self._progress.set_file(entry.name)
        await self._receive_content(file, partial)
        path = await asyncio.to_thread(partial.finish)
        self._attributes_kept = self._attributes_kept and partial.attributes_kept
        self._state.file_finished(file, path)
        await self._confirm_file(file, entry.name, path)

    async def _confirm_file(self, file: int, name: str, path: Path) -> None:
        self._progress.file_complete(name, path)
        await self._secure.send(FrameHeader(FrameType.RECEIPT, file))

    async def _receive_small_file(self, entry: ManifestEntry, file: int) -> None:
        """Receive a file into memory; it is written with those that come meanwhile."""
        self._progress.set_file(entry.name)
        self._secure.sequence.expect(FrameType.DATA, file, 0, entry.size)
        content = bytearray()
        while not self._secure.sequence.complete:
            content += await self._receive_payload()
        small = SmallFile(entry.name, entry.sha256, entry.attributes, bytes(content))
        await self._small_files.add((file, small))

    async def _write_small_files(self, batch: Sequence[tuple[int, SmallFile]]) -> None:
        """Write files, and confirm them to the sender."""
        files = [small for _, small in batch]

        def write(stopped: Callable[[], bool]) -> WrittenFiles:
            return write_small_files(self._destination, files, self._resume_key, stopped)

        def book(written: WrittenFiles) -> None:
            self._state.add_folders(self._new_folders())
            self._attributes_kept = self._attributes_kept and written.attributes_kept
            for (file, _), path in zip(batch, written.paths, strict=False):
                self._state.file_finished(file, path)

        written = await run_interruptible(write, release=book)
        book(written)
        for (file, small), path in zip(batch, written.paths, strict=False):
            await self._confirm_file(file, small.name, path)
        if written.error is not None:
            raise written.error

    async def _receive_content(self, file: int, partial: PartialFile) -> None:
        """Receive a file's frames. They are written while the next ones are received."""
        secure = self._secure
        secure.sequence.expect(FrameType.DATA, file, partial.received, partial.size)

        def write(blocks: Sequence[bytes]) -> None:
            for block in blocks:
                partial.write(block)

        blocks = BatchQueue[bytes](lambda batch: asyncio.to_thread(write, batch), BLOCKS)
        try:
            while not secure.sequence.complete:
                await blocks.add(await self._receive_payload())
        finally:
            await asyncio.shield(start_task(blocks.finish()))  # what has arrived need not be sent again

    async def _receive_payload(self) -> bytes:
        """The content of the next frame."""
        started = time.perf_counter()
        _, payload = await self._secure.receive()
        if payload:
            seconds = time.perf_counter() - started
            self._metrics.record_chunk_transfer(self._method, "received", len(payload), seconds)
        self._progress.add(len(payload))
        return payload


def _is_small(entry: ManifestEntry) -> bool:
    """Whether a file is kept in memory until it is complete. Holes are found while a file is written."""
    return entry.size <= MAX_SMALL_BYTES and not entry.attributes.sparse
