"""Encrypted frames: AES-256-GCM (NIST SP 800-38D) with one key and one nonce counter per direction."""

from __future__ import annotations

import enum
import struct
import time
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tallow.app.crypto.errors import KeyExhaustedError, MalformedError, TamperedError
from tallow.app.crypto.key_schedule import SessionKeys
from tallow.app.wire import MAX_PAYLOAD_BYTES, PROTOCOL_VERSION
from tallow.monitoring.metrics import Metrics

_HEADER: Final = struct.Struct(">BIQB")
TAG_BYTES: Final = 16
OVERHEAD: Final = _HEADER.size + TAG_BYTES
"""Bytes that a frame adds to its payload."""
MAX_FRAMES: Final = 2**32
"""Frames that one key may encrypt; also the limit of the invocation field in SP 800-38D, section 8.3."""
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
    """The part of a frame that is authenticated but not encrypted.

    Attributes:
        file: index of the file in the manifest, or ``NO_FILE``.
        index: offset of the payload in the file or document, in bytes.
        final: whether the payload ends the file or document.
    """

    kind: FrameType
    file: int = NO_FILE
    index: int = 0
    final: bool = True

    def pack(self) -> bytes:
        """The 14 bytes of the header."""
        return _HEADER.pack(self.kind, self.file, self.index, self.final)

    @classmethod
    def unpack(cls, frame: bytes) -> FrameHeader:
        """The header of a frame, not yet authenticated.

        Raises:
            MalformedError: the frame has a wrong length or an invalid header.
        """
        if not OVERHEAD <= len(frame) <= OVERHEAD + MAX_PAYLOAD_BYTES:
            raise MalformedError("a frame has a wrong length")
        kind, file, index, final = _HEADER.unpack_from(frame)
        try:
            return cls(FrameType(kind), file, index, (False, True)[final])
        except (ValueError, IndexError):
            raise MalformedError("a frame has an invalid header") from None


class _FrameCipher:
    """The key and nonce counter of one direction."""

    def __init__(self, key: bytes, transfer: bytes, metrics: Metrics) -> None:
        self._aes = AESGCM(key)
        self._prefix = bytes([PROTOCOL_VERSION]) + transfer
        self._count = 0
        self._metrics = metrics

    def _nonce(self) -> bytes:
        if self._count >= MAX_FRAMES:
            raise KeyExhaustedError
        nonce = self._count.to_bytes(12)
        self._count += 1
        return nonce


class FrameSealer(_FrameCipher):
    """Encrypts the frames of this side."""

    def __init__(self, session: SessionKeys, metrics: Metrics) -> None:
        super().__init__(session.send_key, session.transfer_id, metrics)

    def seal(self, header: FrameHeader, payload: bytes | memoryview = b"") -> bytes:
        """Encrypt a frame.

        Raises:
            KeyExhaustedError: the key has encrypted ``MAX_FRAMES`` frames.
        """
        start = time.perf_counter()
        packed = header.pack()
        sealed = packed + self._aes.encrypt(self._nonce(), payload, self._prefix + packed)
        self._metrics.record_encryption("encrypt", "success", time.perf_counter() - start)
        return sealed


class FrameOpener(_FrameCipher):
    """Decrypts the frames of the other side, in the order of their encryption."""

    def __init__(self, session: SessionKeys, metrics: Metrics) -> None:
        super().__init__(session.receive_key, session.transfer_id, metrics)

    def open(self, frame: bytes) -> bytes:
        """Decrypt a frame and return its payload.

        Raises:
            TamperedError: it is not the next frame of the other side.
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
