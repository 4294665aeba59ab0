"""Frames: what crosses once there are keys. AES-256-GCM (NIST SP 800-38D), a nonce counter a direction."""

from __future__ import annotations

import enum
import struct
import time
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tallow.app.crypto.errors import KeyExhaustedError, MalformedError, TamperedError
from tallow.app.crypto.kdf import VERSION
from tallow.app.crypto.key_schedule import SessionKeys
from tallow.monitoring.metrics import Metrics

_HEADER: Final = struct.Struct(">BIQB")
TAG_BYTES: Final = 16
OVERHEAD: Final = _HEADER.size + TAG_BYTES
"""What a frame adds to its payload."""
MAX_PAYLOAD: Final = 256 * 1024
MAX_FRAMES: Final = 2**32
NO_FILE: Final = 2**32 - 1


class FrameType(enum.IntEnum):
    """What a frame carries."""

    MANIFEST = 16
    ACCEPT = 17
    DATA = 18
    RECEIPT = 19
    FINISH = 20
    ABORT = 21


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What of a frame is not encrypted, and authenticated all the same.

    Attributes:
        file: number of the file in the manifest; NO_FILE where none is meant.
        index: how many bytes of this file (or document) come before.
        final: nothing of it comes after.
    """

    kind: FrameType
    file: int = NO_FILE
    index: int = 0
    final: bool = True

    def pack(self) -> bytes:
        """The header's 14 bytes."""
        return _HEADER.pack(self.kind, self.file, self.index, self.final)

    @classmethod
    def unpack(cls, frame: bytes) -> FrameHeader:
        """The header of a frame; nothing says yet that it is authentic.

        Raises:
            MalformedError: it is none.
        """
        if not OVERHEAD <= len(frame) <= OVERHEAD + MAX_PAYLOAD:
            raise MalformedError("a frame has a wrong length")
        kind, file, index, final = _HEADER.unpack_from(frame)
        try:
            return cls(FrameType(kind), file, index, (False, True)[final])
        except (ValueError, IndexError):
            raise MalformedError("a frame's header is not one of the protocol") from None


class _FrameCipher:
    """One key, one direction: a counter that never repeats under it."""

    def __init__(self, key: bytes, transfer: bytes, metrics: Metrics) -> None:
        self._aes = AESGCM(key)
        self._prefix = bytes([VERSION]) + transfer
        self._count = 0
        self._metrics = metrics

    def _nonce(self) -> bytes:
        if self._count >= MAX_FRAMES:
            raise KeyExhaustedError
        nonce = self._count.to_bytes(12)
        self._count += 1
        return nonce


class FrameSealer(_FrameCipher):
    """Encrypts this side's frames."""

    def __init__(self, session: SessionKeys, metrics: Metrics) -> None:
        super().__init__(session.send_key, session.transfer_id, metrics)

    def seal(self, header: FrameHeader, payload: bytes | memoryview = b"") -> bytes:
        """A frame.

        Raises:
            KeyExhaustedError: the key has encrypted as much as it may.
        """
        start = time.perf_counter()
        packed = header.pack()
        sealed = packed + self._aes.encrypt(self._nonce(), payload, self._prefix + packed)
        self._metrics.record_encryption("encrypt", "success", time.perf_counter() - start)
        return sealed


class FrameOpener(_FrameCipher):
    """Decrypts the other side's frames, in the order in which they were encrypted."""

    def __init__(self, session: SessionKeys, metrics: Metrics) -> None:
        super().__init__(session.receive_key, session.transfer_id, metrics)

    def open(self, frame: bytes) -> bytes:
        """A frame's payload.

        Raises:
            TamperedError: it is not the other side's next one.
        """
        start = time.perf_counter()
        status = "failed"
        view = memoryview(frame)
        try:
            payload = self._aes.decrypt(
                self._nonce(), view[_HEADER.size :], self._prefix + bytes(view[: _HEADER.size])
            )
            status = "success"
        except InvalidTag:
            raise TamperedError from None
        finally:
            self._metrics.record_encryption("decrypt", status, time.perf_counter() - start)
        return payload
