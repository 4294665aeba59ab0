"""Frames: every change is refused with its own error."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tallow.app.crypto.errors import (
    KeyExhaustedError,
    MalformedError,
    ProtocolError,
    ReorderedError,
    ReplayedError,
    SplicedError,
    TamperedError,
    TruncatedError,
)
from tallow.app.crypto.frame_sequence import FrameSequence
from tallow.app.crypto.frames import MAX_FRAMES, OVERHEAD, FrameHeader, FrameOpener, FrameSealer, FrameType
from tallow.app.crypto.key_schedule import SessionKeys
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

SENDER = SessionKeys("sender", b"t" * 16, b"s" * 32, b"r" * 32)
RECEIVER = SessionKeys("receiver", b"t" * 16, b"r" * 32, b"s" * 32)
FILES = (b"the first file, in three pieces", b"the second")
CHUNK = 12


class FrameReader:
    """Receives two files."""

    def __init__(self) -> None:
        self.metrics = Metrics(Registry())
        self.opener = FrameOpener(RECEIVER, self.metrics)
        self.order = FrameSequence()
        self.got = [b"", b""]
        self.file = 0
        self.order.expect(FrameType.DATA, 0, 0, len(FILES[0]))

    def take(self, frame: bytes) -> None:
        header = FrameHeader.unpack(frame)
        self.order.check(header, len(frame) - OVERHEAD)
        payload = self.opener.open(frame)
        self.order.advance(header, len(payload))
        self.got[self.file] += payload
        if self.order.complete and self.file == 0:
            self.file = 1
            self.order.expect(FrameType.DATA, 1, 0, len(FILES[1]))

    def take_all(self, frames: list[bytes]) -> None:
        for frame in frames:
            self.take(frame)
        if not self.order.complete:
            self.order.check(FrameHeader(FrameType.FINISH), 0)


def sealed(session: SessionKeys = SENDER) -> list[bytes]:
    """Both files: frames 0 to 2 of the first, 3 of the second."""
    sealer = FrameSealer(session, Metrics(Registry()))
    frames = []
    for file, content in enumerate(FILES):
        for at in range(0, len(content), CHUNK):
            piece = content[at : at + CHUNK]
            frames.append(
                sealer.seal(FrameHeader(FrameType.DATA, file, at, at + CHUNK >= len(content)), piece)
            )
    return frames


def test_frames_are_decrypted() -> None:
    reader = FrameReader()
    reader.take_all(sealed())
    assert tuple(reader.got) == FILES
    labels = {"algorithm": "aes_256_gcm", "operation": "decrypt", "status": "success"}
    assert reader.metrics.registry.value("encryption_operations_total", **labels) == 4


def test_every_byte_of_a_frame_is_authenticated() -> None:
    frame = sealed()[0]
    for at in range(len(frame)):
        changed = bytearray(frame)
        changed[at] ^= 1
        with pytest.raises(ProtocolError):
            FrameReader().take(bytes(changed))


@pytest.mark.parametrize("at", [14, 20, -1])
def test_a_changed_frame_is_refused_and_counted(at: int) -> None:
    frame = bytearray(sealed()[0])
    frame[at] ^= 1
    reader = FrameReader()
    with pytest.raises(TamperedError, match="authentication tag"):
        reader.take(bytes(frame))
    labels = {"algorithm": "aes_256_gcm", "operation": "decrypt", "status": "failed"}
    assert reader.metrics.registry.value("encryption_operations_total", **labels) == 1


def test_a_repeated_frame_is_refused() -> None:
    first, second, *_ = sealed()
    with pytest.raises(ReplayedError, match="second time"):
        FrameReader().take_all([first, second, first])


def test_a_missing_frame_is_refused() -> None:
    first, _, third, _ = sealed()
    with pytest.raises(ReorderedError, match="out of order"):
        FrameReader().take_all([first, third])


def test_a_frame_of_another_file_is_refused() -> None:
    first, _, _, other = sealed()
    with pytest.raises(SplicedError, match="another file"):
        FrameReader().take_all([first, other])


def test_a_frame_of_another_file_with_a_forged_header_is_refused() -> None:
    frames = sealed()
    with pytest.raises(TamperedError):
        FrameReader().take_all([frames[0], frames[1][:14] + frames[3][14:]])


def test_a_missing_final_frame_is_refused() -> None:
    with pytest.raises(TruncatedError, match="before all bytes"):
        FrameReader().take_all(sealed()[:-1])


def test_an_early_final_frame_is_refused() -> None:
    first, *_ = sealed()
    sealer = FrameSealer(SENDER, Metrics(Registry()))
    early = sealer.seal(FrameHeader(FrameType.DATA, 0, 0, True), b"short")
    with pytest.raises(TruncatedError):
        FrameReader().take(early)
    finish = FrameSealer(SENDER, Metrics(Registry()))
    finish.seal(FrameHeader(FrameType.DATA, 0, 0, False), FILES[0][:CHUNK])
    with pytest.raises(TruncatedError):
        FrameReader().take_all([first, finish.seal(FrameHeader(FrameType.FINISH))])


def test_a_forged_final_flag_is_refused() -> None:
    frame = bytearray(sealed()[2])
    frame[13] = 0
    reader = FrameReader()
    for good in sealed()[:2]:
        reader.take(good)
    with pytest.raises(MalformedError, match="larger than announced"):
        reader.take(bytes(frame))


def test_a_frame_of_another_connection_is_refused() -> None:
    other = SessionKeys("sender", b"u" * 16, SENDER.send_key, SENDER.receive_key)
    with pytest.raises(TamperedError):
        FrameReader().take(sealed(other)[0])


def test_a_reflected_frame_is_refused() -> None:
    frame = sealed()[0]
    with pytest.raises(TamperedError):
        FrameOpener(SENDER, Metrics(Registry())).open(frame)


def test_no_nonce_repeats_under_a_key() -> None:
    sealer = FrameSealer(SENDER, Metrics(Registry()))
    frames = [sealer.seal(FrameHeader(FrameType.FINISH), b"same") for _ in range(3)]
    assert all(one != other for one, other in pairwise(frames))
    sealer._count = MAX_FRAMES
    with pytest.raises(KeyExhaustedError):
        sealer.seal(FrameHeader(FrameType.FINISH))


@pytest.mark.parametrize("frame", [b"", bytes(29), bytes(30), b"\x12" * 30, bytes(300_000)])
def test_malformed_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(MalformedError):
        FrameHeader.unpack(frame)
