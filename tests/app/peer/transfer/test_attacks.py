"""A malicious server: every change is refused on both sides with its own message, and counted."""

from __future__ import annotations

import asyncio
import os
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.transfers.malicious_server import Change, MaliciousServer
from support.transfers.peers import RunningPeer, receive, send
from support.transfers.server import RunningServer, serving
from tallow.app.crypto.errors import (
    KeyExchangeError,
    ProtocolError,
    ReorderedError,
    ReplayedError,
    SplicedError,
    TamperedError,
    TruncatedError,
    WrongSecretError,
)
from tallow.app.crypto.frames import FrameHeader, FrameType
from tallow.app.peer.link import Link

pytestmark = pytest.mark.slow

CHUNK = 256 * 1024
SIZES = (CHUNK * 3 + 5, CHUNK * 2 + 7)


@dataclass
class World:
    server: RunningServer
    attacker: MaliciousServer


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    attacker = MaliciousServer()
    (tmp_path / "server").mkdir()
    async with serving(tmp_path / "server", wrap=attacker.wrap) as server:
        yield World(server, attacker)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("first.bin", "second.bin")]
    for path, size in zip(paths, SIZES, strict=True):
        path.write_bytes(os.urandom(size))
    return paths


async def transfer(world: World, files: list[Path], out: Path) -> tuple[RunningPeer, RunningPeer]:
    """Both sides after their end."""
    sender = await send(world.server.url, files)
    receiver = receive(sender.link, out)
    await sender.wait_for_error()
    await receiver.wait_for_error()
    return sender, receiver


def flip(at: int, kind: int) -> Change:
    """Changes one bit of the first message of a kind."""
    seen: list[int] = []

    def change(message: bytes) -> list[bytes]:
        seen.append(message[0])
        if message[0] == kind and seen.count(kind) == 1:
            changed = bytearray(message)
            changed[at] ^= 1
            return [bytes(changed)]
        return [message]

    return change


def data(change: Callable[[FrameHeader, bytes], list[bytes]]) -> Change:
    """Changes frames of files."""

    def changed(message: bytes) -> list[bytes]:
        if message[0] != FrameType.DATA:
            return [message]
        return change(FrameHeader.unpack(message), message)

    return changed


def swapped() -> Change:
    kept: list[bytes] = []

    def change(header: FrameHeader, frame: bytes) -> list[bytes]:
        if (header.file, header.index) == (0, CHUNK):
            kept.append(frame)
            return []
        later, kept[:] = [frame, *kept], []
        return later

    return data(change)


def spliced() -> Change:
    """Replaces the second file's frame by the first file's second frame."""
    kept: list[bytes] = []

    def change(header: FrameHeader, frame: bytes) -> list[bytes]:
        if (header.file, header.index) == (0, CHUNK):
            kept.append(frame)
        return kept if (header.file, header.index) == (1, CHUNK) else [frame]

    return data(change)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (flip(40, FrameType.DATA), TamperedError),
        (flip(-1, FrameType.DATA), TamperedError),
        (flip(20, FrameType.MANIFEST), TamperedError),
        (swapped(), ReorderedError),
        (data(lambda header, frame: [frame, frame] if header.index == CHUNK else [frame]), ReplayedError),
        (data(lambda header, frame: [] if header.index == CHUNK else [frame]), ReorderedError),
        (data(lambda header, frame: [] if header.file == 1 and header.final else [frame]), TruncatedError),
        (spliced(), SplicedError),
    ],
    ids=["frame", "tag", "manifest", "order", "replay", "gap", "end", "splice"],
)
async def test_a_changed_stream_is_refused(
    world: World, files: list[Path], tmp_path: Path, change: Change, refused: type[ProtocolError]
) -> None:
    world.attacker.from_sender = change
    sender, receiver = await transfer(world, files, tmp_path / "out")
    error = receiver.task.exception()
    assert type(error) is refused
    assert str(error) == refused.text
    assert refused.text in str(sender.task.exception())
    for side in (sender, receiver):
        assert side.value("errors_total", type="crypto", severity="high") == 1
    assert world.server.value("errors_total", type="crypto", severity="high") == 2
    assert world.server.value("transfers_total", status="failed", method="relay") == 1
    broken = {"algorithm": "aes_256_gcm", "operation": "decrypt", "status": "failed"}
    assert world.server.value("encryption_operations_total", **broken) == (refused is TamperedError)
    complete = [path.name for path in (tmp_path / "out").iterdir() if path.suffix == ".bin"]
    assert set(complete) <= {"first.bin"}


@pytest.mark.parametrize(
    ("who", "kind", "at"),
    [
        ("from_sender", 1, 10),
        ("from_sender", 1, 500),
        ("from_receiver", 2, 10),
        ("from_receiver", 2, 500),
        ("from_sender", 3, 5),
        ("from_receiver", 4, 5),
    ],
    ids=["sender-x25519", "sender-mlkem", "receiver-x25519", "ciphertext", "sender-mac", "receiver-mac"],
)
async def test_a_changed_key_exchange_is_refused(
    world: World, files: list[Path], tmp_path: Path, who: str, kind: int, at: int
) -> None:
    setattr(world.attacker, who, flip(at, kind))
    sender, receiver = await transfer(world, files, tmp_path / "out")
    errors = [sender.task.exception(), receiver.task.exception()]
    assert any(type(error) is KeyExchangeError for error in errors), errors
    assert all("key exchange failed" in str(error) for error in errors), errors
    failed = {"algorithm": "x25519_mlkem768", "status": "failed"}
    assert world.server.value("pqc_key_exchanges_total", **failed) >= 1
    assert not list((tmp_path / "out").iterdir())


async def test_a_wrong_secret_is_reported_even_if_the_server_admits_it(
    world: World, files: list[Path], tmp_path: Path
) -> None:
    sender = await send(world.server.url, files)
    right = urlsafe_b64encode(sender.link.join_token).decode().rstrip("=")

    def let_in(message: dict[str, Any]) -> dict[str, Any]:
        return message | {"token": right} if message["type"] == "join" else message

    world.attacker.signaling = let_in
    receiver = receive(Link(sender.link.server, sender.link.room, os.urandom(16)), tmp_path / "out")
    assert type(await receiver.wait_for_error()) is WrongSecretError
    assert WrongSecretError.text in str(await sender.wait_for_error())
    assert receiver.value("errors_total", type="auth", severity="high") == 1
    assert world.server.value("errors_total", type="auth", severity="high") == 2
    failed = {"algorithm": "x25519_mlkem768", "status": "failed"}
    assert world.server.value("pqc_key_exchanges_total", **failed) == 0


async def test_a_mistyped_secret_opens_no_room(world: World, files: list[Path], tmp_path: Path) -> None:
    sender = await send(world.server.url, files)
    receiver = receive(Link(sender.link.server, sender.link.room, os.urandom(16)), tmp_path / "out")
    assert "the link is wrong" in str(await receiver.wait_for_error())
    assert receiver.value("errors_total", type="auth", severity="medium") == 1
    sender.task.cancel()
    await sender.wait_for_error()


async def test_the_server_sees_no_key_and_no_plaintext(world: World, tmp_path: Path) -> None:
    marker = b"plaintext-that-only-peers-may-see"
    path = tmp_path / "a-name-only-peers-may-see.txt"
    path.write_bytes(marker * 20_000)
    sender = await send(world.server.url, [path])
    receiver = receive(sender.link, tmp_path / "out")
    await asyncio.gather(sender.task, receiver.task)
    everything = b"\0".join(world.attacker.seen)
    assert len(everything) > path.stat().st_size
    assert b"telemetry" in everything
    secret = sender.link.secret
    for private in (
        marker[:12],
        b"only-peers",
        secret,
        secret.hex().encode(),
        urlsafe_b64encode(secret).rstrip(b"="),
    ):
        assert private not in everything
