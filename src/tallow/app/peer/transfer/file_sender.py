"""Sends the files over one connection: manifest, data, and the receipts that come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from tallow.app.crypto.errors import MalformedError
from tallow.app.crypto.frames import FrameHeader, FrameType
from tallow.app.files.small_sources import grouped, is_small, read_whole
from tallow.app.files.source_file import SourceFile
from tallow.app.peer.connection.connector import transfer_method
from tallow.app.peer.connection.secure_channel import SecureChannel
from tallow.app.peer.tasks import run_all_or_fail, start_task
from tallow.app.peer.transfer.manifest import MAX_ANSWER_BYTES, Manifest, ResumeOffer
from tallow.app.peer.transfer.prepare import PreparedFiles
from tallow.app.peer.transfer.progress import TransferProgress
from tallow.app.peer.transfer.rate_limit import RateLimit
from tallow.monitoring.metrics import Metrics

BLOCK: Final = 1 << 20
"""Bytes read from the disk at a time. The next block is read while one is sent."""


class FileSender:
    """Sends prepared files over one connection."""

    def __init__(
        self,
        secure: SecureChannel,
        offer: PreparedFiles,
        metrics: Metrics,
        progress: TransferProgress,
        limit: RateLimit,
    ) -> None:
        self._secure = secure
        self._offer = offer
        self._metrics = metrics
        self._progress = progress
        self._limit = limit
        self._method = transfer_method(secure.channel)

    async def offer(self) -> ResumeOffer:
        """Send the manifest and wait for the receiver's answer.

        Raises:
            ProtocolError, ChannelError: see :class:`SecureChannel`.
        """
        manifest = self._offer.manifest
        await self._secure.send_document(FrameType.MANIFEST, manifest.encode())
        document = await self._secure.receive_document(FrameType.ACCEPT, MAX_ANSWER_BYTES)
        accept = ResumeOffer.decode(document, manifest)
        self._progress.resume_at(_bytes_at_receiver(accept, manifest))
        return accept

    async def send(self, accept: ResumeOffer) -> None:
        """Send everything that the receiver does not have; returns when it has confirmed all files.

        Raises:
            ProtocolError, ChannelError: see :class:`SecureChannel`.
            FileError: a file cannot be read, or has changed.
        """
        wanted = [file for file in range(len(self._offer.sources)) if file not in accept.complete_files]
        sources, partial = self._offer.sources, accept.partial_bytes

        def is_whole(file: int) -> bool:
            return is_small(sources[file]) and not partial.get(file)

        async def send_wanted() -> None:
            for group in grouped(wanted, is_whole):
                if is_whole(group[0]):
                    await self._send_small_files(group)
                else:
                    await self._send_file(group[0], partial.get(group[0], 0))
            await self._secure.send(FrameHeader(FrameType.FINISH))

        await run_all_or_fail(self._receive_receipts(wanted), send_wanted())

    async def _send_small_files(self, files: Sequence[int]) -> None:
        own = [replace(self._offer.sources[file]) for file in files]  # see _send_file
        contents, error = await asyncio.to_thread(read_whole, own)
        chunk = self._secure.chunk_size
        for file, content in zip(files, contents, strict=False):
            self._progress.set_file(self._offer.sources[file].name)
            for at in range(0, max(1, len(content)), chunk):
                await self._send_piece(file, at, content[at : at + chunk], len(content))
        if error is not None:
            raise error

    async def _send_file(self, file: int, start: int) -> None:
        source = replace(self._offer.sources[file])  # opened by this one alone, and not for other receivers
        self._progress.set_file(source.name)
        at = start
        try:
            async for piece in _pieces(source, start, self._secure.chunk_size):
                await self._send_piece(file, at, piece, source.size)
                at += len(piece)
        finally:
            source.close()

    async def _send_piece(self, file: int, at: int, piece: bytes | memoryview, size: int) -> None:
        """Send a part of a file of ``size`` bytes, from offset ``at`` on."""
        await self._limit.wait(len(piece))
        last = at + len(piece) >= size
        started = time.perf_counter()
        await self._secure.send(FrameHeader(FrameType.DATA, file, at, last), piece)
        if piece:
            took = time.perf_counter() - started
            self._metrics.record_chunk_transfer(self._method, "sent", len(piece), took)
        self._progress.add(len(piece))

    async def _receive_receipts(self, wanted: Sequence[int]) -> None:
        secure = self._secure
        for file in wanted:
            secure.sequence.expect(FrameType.RECEIPT, file)
            await secure.receive()
            if not secure.sequence.complete:
                raise MalformedError("a receipt is not final")
            self._progress.file_complete(self._offer.sources[file].name)
        secure.sequence.expect(FrameType.FINISH)
        await secure.receive()


def _bytes_at_receiver(accept: ResumeOffer, manifest: Manifest) -> int:
    done = sum(manifest.files[file].size for file in accept.complete_files)
    return done + sum(
        size for file, size in accept.partial_bytes.items() if file not in accept.complete_files
    )


async def _pieces(source: SourceFile, start: int, chunk: int) -> AsyncIterator[memoryview]:
    """The file from ``start`` on, one frame's payload at a time; an empty payload at the end of the file."""
    if start >= source.size:
        yield memoryview(b"")
        return
    block = max(chunk, BLOCK // chunk * chunk)
    reading = _read(source, start, block)
    try:
        while True:
            data = memoryview(await reading)
            start += len(data)
            if start < source.size:
                reading = _read(source, start, block)
            for at in range(0, len(data), chunk):
                yield data[at : at + chunk]
            if start >= source.size:
                return
    finally:
        reading.cancel()


def _read(source: SourceFile, at: int, length: int) -> asyncio.Task[bytes]:
    return start_task(asyncio.to_thread(source.read, at, length))
