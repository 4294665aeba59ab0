"""What only the server says, or what a handshake shows, ends an attempt and never what is kept to resume."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.transfers.peers import receive, send
from support.transfers.server import RunningServer
from tallow.app.crypto.errors import CancelledByPeerError, KeyExchangeError
from tallow.app.peer.connection.secure_channel import SecureChannel
from tallow.app.peer.errors import ServerReportError, is_authenticated
from tallow.app.peer.transfer.resume_state import ReceiverState

pytestmark = pytest.mark.slow

SIZE = 20_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "song.mp3"
    file.write_bytes(os.urandom(SIZE))
    return file


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
    assert "the server reports that the other side cancelled" in str(error)
    state = ReceiverState.load(sender.link, 1e12)
    assert state.has_manifest
    assert Path(str(state.partial)).exists()


async def test_a_cancellation_of_the_sender_removes_what_was_received(
    server: RunningServer, tmp_path: Path, path: Path
) -> None:
    sender = await send(server.url, [path])
    receiver = receive(sender.link, tmp_path / "out")
    await receiver.wait_for_event("progress")
    sender.task.cancel()
    await sender.wait_for_error()
    error = await receiver.wait_for_error()
    assert str(error) == CancelledByPeerError.text
    assert not ReceiverState.load(sender.link, 1e12).has_manifest
    assert list((tmp_path / "out").iterdir()) == []


def test_errors_of_the_session_are_authenticated() -> None:
    assert is_authenticated(CancelledByPeerError())
    assert is_authenticated(OSError())
    assert not is_authenticated(CancelledByPeerError(authenticated=False))
    assert not is_authenticated(ServerReportError("the other side gave up the transfer"))
    assert not is_authenticated(KeyExchangeError(authenticated=False))
