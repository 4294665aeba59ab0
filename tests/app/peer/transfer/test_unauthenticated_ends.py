"""What only the server says, or what a handshake shows, ends an attempt and never what is kept to resume."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import pytest

from support.transfers.peers import receive, send
from support.transfers.server import RunningServer
from tallow.app.channels.channel import ChannelClosedError
from tallow.app.crypto.errors import (
    CancelledByPeerError,
    DeclinedError,
    HashMismatchError,
    MalformedError,
    ReorderedError,
    ReplayedError,
    SourceChangedError,
    SplicedError,
    StoppedByPeerError,
    StorageFailedError,
    TamperedError,
    TruncatedError,
    from_code,
)
from tallow.app.crypto.frames import FrameHeader, FrameSealer, FrameType
from tallow.app.crypto.handshake import abort_message
from tallow.app.crypto.key_schedule import SessionKeys
from tallow.app.peer.connection.secure_channel import SecureChannel, perform_handshake
from tallow.app.peer.errors import (
    REFUSALS,
    NotConfirmedError,
    PeerError,
    ServerRefusedError,
    ServerReportError,
    is_authenticated,
)
from tallow.app.peer.link import Link
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer.resume_state import ReceiverState
from tallow.app.wire import Role

SIZE = 20_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "song.mp3"
    file.write_bytes(os.urandom(SIZE))
    return file


@pytest.mark.slow
async def test_a_cancellation_that_only_the_server_reports_keeps_what_was_received(
    server: RunningServer, tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed_only(self: SecureChannel, _code: int) -> None:
        await self.close()  # as if the abort had been lost, or the sender had not cancelled at all

    sender = await send(server.url, [path])
    receiver = receive(sender.link, tmp_path / "out")
    await receiver.wait_for_event("progress")
    monkeypatch.setattr(SecureChannel, "abort", closed_only)
    sender.task.cancel()
    await sender.wait_for_error()
    error = await receiver.wait_for_error()
    assert "the server reports that the other side stopped" in str(error)
    state = ReceiverState.load(sender.link, 1e12)
    assert state.has_manifest
    assert Path(str(state.partial)).exists()


@pytest.mark.slow
async def test_a_stop_of_the_sender_removes_the_incomplete_file_and_no_state(
    server: RunningServer, tmp_path: Path, path: Path
) -> None:
    sender = await send(server.url, [path])
    receiver = receive(sender.link, tmp_path / "out")
    await receiver.wait_for_event("progress")
    sender.task.cancel()
    await sender.wait_for_error()
    error = await receiver.wait_for_error()
    assert str(error) == StoppedByPeerError.text
    state = ReceiverState.load(sender.link, 1e12)
    assert (state.has_manifest, state.partial) == (True, None)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        CancelledByPeerError(),
        SourceChangedError(),
        StorageFailedError(),
        HashMismatchError(),
        MalformedError(),
        NotConfirmedError("declined", DeclinedError),
        OSError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_end_by_one_of_the_two_sides_is_final(error: Exception) -> None:
    assert is_authenticated(error)


def what_others_can_cause() -> Iterator[Exception]:
    """Each error that the server, or somebody on the way, can cause."""
    for code in range(20):
        yield from_code(code, authenticated=False)
    yield from map(ServerRefusedError, REFUSALS)
    yield from (TamperedError(), ReplayedError(), ReorderedError(), SplicedError(), TruncatedError())
    yield from_code(TamperedError.code)  # the other side saw a changed frame
    yield ServerReportError("the other side gave up the transfer")
    yield PeerError("the sender did not come back")
    yield PeerError("no direct connection is possible, and this side uses no relay")


@pytest.mark.parametrize("error", list(what_others_can_cause()), ids=repr)
def test_an_end_that_others_can_cause_keeps_the_state(error: Exception) -> None:
    assert not is_authenticated(error)


@pytest.mark.parametrize("code", range(20))
def test_an_abort_without_keys_is_shown_as_the_servers(code: int) -> None:
    assert str(from_code(code, authenticated=False)).startswith(
        "the server, or somebody on the way, reports:"
    )
    assert "reports" not in str(from_code(code))


class Scripted:
    """A channel that delivers given messages, such as a malicious relay's."""

    method: Final = "relay"
    best_message = 65_536
    descriptions: Final = ()

    def __init__(self, *messages: bytes) -> None:
        self.messages = list(messages)
        self.sent: list[bytes] = []

    async def receive(self) -> bytes:
        if not self.messages:
            raise ChannelClosedError("closed")
        return self.messages.pop(0)

    async def send(self, message: bytes) -> None:
        self.sent.append(message)

    async def close(self) -> None:
        pass


RECEIVER_KEYS: Final = SessionKeys("receiver", bytes(16), bytes(32), bytes(32))


@pytest.mark.parametrize("role", ["sender", "receiver"])
async def test_an_abort_in_place_of_a_handshake_message_is_not_authenticated(role: Role) -> None:
    link = Link("https://tallow.example", "abcdefgh234567aa", bytes(16))
    with pytest.raises(CancelledByPeerError) as raised:
        await perform_handshake(cast("Any", Scripted(abort_message(1))), role, link, new_metrics())
    assert not raised.value.authenticated


async def test_an_abort_in_place_of_the_first_frame_is_not_authenticated() -> None:
    """The relay can send it: it is how the other side refuses the last message of the handshake."""
    channel = SecureChannel(cast("Any", Scripted(abort_message(1))), RECEIVER_KEYS, new_metrics())
    with pytest.raises(CancelledByPeerError) as raised:
        await channel.receive_document(FrameType.MANIFEST, 1000)
    assert not raised.value.authenticated


def unread(*frames: FrameHeader) -> list[bytes]:
    """Frames of a sender, which a receiver with :data:`RECEIVER_KEYS` has not read."""
    sealer = FrameSealer(SessionKeys("sender", bytes(16), bytes(32), bytes(32)), new_metrics())
    return [sealer.seal(header, bytes([StoppedByPeerError.code])) for header in frames]


ABORT: Final = FrameHeader(FrameType.ABORT)
DATA: Final = FrameHeader(FrameType.DATA, 0)


async def test_an_abort_behind_unread_data_is_the_reason_of_a_closed_channel() -> None:
    channel = SecureChannel(cast("Any", Scripted(*unread(DATA, ABORT))), RECEIVER_KEYS, new_metrics())
    with pytest.raises(StoppedByPeerError) as raised:
        await channel.raise_if_aborted()
    assert raised.value.authenticated


@pytest.mark.parametrize("messages", [[b"no frame"], unread(DATA), [unread(DATA, ABORT)[1]]])
async def test_without_the_other_side_s_abort_a_closed_channel_has_no_reason(messages: list[bytes]) -> None:
    scripted = Scripted(*messages)
    await SecureChannel(cast("Any", scripted), RECEIVER_KEYS, new_metrics()).raise_if_aborted()
    assert scripted.messages == []
