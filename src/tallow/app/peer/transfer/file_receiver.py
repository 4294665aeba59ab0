"""The receiver's part of one connection: what is offered, what of it is here, and the files as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from tallow.app.crypto.errors import SourceChangedError
from tallow.app.crypto.frames import FrameHeader, FrameType
from tallow.app.files.destination import Destination
from tallow.app.files.partial_file import PartialFile
from tallow.app.peer.connection.connector import transfer_method
from tallow.app.peer.connection.secure_channel import SecureChannel
from tallow.app.peer.transfer.manifest import MAX_BYTES, Manifest, ResumeOffer
from tallow.app.peer.transfer.progress import Progress
from tallow.app.peer.transfer.resume_state import ReceiverState
from tallow.monitoring.metrics import Metrics


class FileReceiver:
    """Receives over one connection into a folder.

    Args:
        received: what earlier connections of this transfer have brought.
        resume_key: names its partial files.
        confirm: returns once the person here wants what is offered.
        flowing: called when the sender has been told what to send.
    """

    def __init__(
        self,
        secure: SecureChannel,
        destination: Destination,
        received: ReceiverState,
        resume_key: bytes,
        metrics: Metrics,
        progress: Progress,
        confirm: Callable[[Manifest], Awaitable[None]],
        flowing: Callable[[], None],
    ) -> None:
        self._secure = secure
        self._destination = destination
        self._received = received
        self._resume_key = resume_key
        self._metrics = metrics
        self._progress = progress
        self._method = transfer_method(secure.channel)
        self._confirm = confirm
        self._on_data_flow = flowing

    async def receive(self) -> Manifest:
        """Receive all that is not here yet; returns when the sender was told that it is.

        Raises:
            ProtocolError, ChannelError: see :class:`SecureChannel`.
            FileError: a file cannot be written.
            NotConfirmedError: the person here does not want the files.
        """
        secure = self._secure
        manifest = Manifest.decode(await secure.receive_document(FrameType.MANIFEST, MAX_BYTES))
        resumed = self._received.has_manifest
        if not self._received.accept_manifest(manifest):
            raise SourceChangedError("the sender offers other files than before the interruption")
        self._progress.announce(manifest, listed=True)
        await self._confirm(manifest)
        if resumed:
            await self._find_finished(manifest)
        try:
            await self._receive_wanted(manifest)
        finally:
            self._received.save()
        secure.sequence.expect(FrameType.FINISH)
        await secure.receive()
        await secure.send(FrameHeader(FrameType.FINISH))
        return manifest

    async def _find_finished(self, manifest: Manifest) -> None:
        """Files that got their name in the moment before an interruption, and were not written down."""
        for number, entry in enumerate(manifest.files):
            if number not in self._received.completed_files:
                arguments = (entry.name, entry.size, entry.sha256)
                path = await asyncio.to_thread(self._destination.find_complete, *arguments)
                if path is None:
                    return
                self._received.file_finished(number, path)

    async def _receive_wanted(self, manifest: Manifest) -> None:
        """Say what is here, and take the rest."""
        done = self._received.completed_files
        wanted = [file for file in range(len(manifest.files)) if file not in done]
        # Files come one after the other: of one alone a part may be here.
        partial = await self._open_partial(manifest, wanted[0]) if wanted else None
        have = {wanted[0]: partial.received} if partial is not None and partial.received else {}
        here = sum(manifest.files[file].size for file in done) + sum(have.values())
        self._progress.resume_at(here)
        try:
            self._destination.check_free_space(manifest.size - here)
            await self._secure.send_document(FrameType.ACCEPT, ResumeOffer(have, frozenset(done)).encode())
            self._on_data_flow()
            for file in wanted:
                if partial is None:
                    partial = await self._open_partial(manifest, file, anew=True)
                await self._receive_file(manifest, file, partial)
                partial = None
        finally:
            if partial is not None:
                partial.close()

    async def _open_partial(self, manifest: Manifest, file: int, *, anew: bool = False) -> PartialFile:
        entry = manifest.files[file]
        begin = self._destination.open_partial
        arguments = (entry.name, entry.size, entry.sha256, self._resume_key)
        partial = await asyncio.to_thread(begin, *arguments)
        if anew and partial.received:  # the sender was told that nothing of it is here
            partial.discard()
            partial = await asyncio.to_thread(begin, *arguments)
        self._received.partial_started(partial.path, partial.size, self._destination.created_folders)
        return partial

    async def _receive_file(self, manifest: Manifest, file: int, partial: PartialFile) -> None:
        entry = manifest.files[file]
        self._progress.set_file(entry.name)
        await self._receive_content(file, partial)
        path = await asyncio.to_thread(partial.finish)
        self._received.file_finished(file, path)
        self._progress.file_complete(entry.name, path)
        await self._secure.send(FrameHeader(FrameType.RECEIPT, file))

    async def _receive_content(self, file: int, partial: PartialFile) -> None:
        """Take a file's frames; the disk works while the next ones come in."""
        secure = self._secure
        secure.sequence.expect(FrameType.DATA, file, partial.received, partial.size)
        writing: asyncio.Task[None] | None = None
        try:
            while not secure.sequence.complete:
                begun = time.perf_counter()
                _, payload = await secure.receive()
                if payload:
                    took = time.perf_counter() - begun
                    self._metrics.record_chunk_transfer(self._method, "received", len(payload), took)
                if writing is not None:
                    await writing
                writing = asyncio.create_task(asyncio.to_thread(partial.write, payload))
                self._progress.add(len(payload))
        finally:
            if writing is not None:
                await asyncio.shield(writing)
