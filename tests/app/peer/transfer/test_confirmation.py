"""The confirmation at the receiver: both sides and the server know of it, and every wait is limited."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from support.transfers.peers import DIRECT, RELAYED, receive, send
from support.transfers.server import RunningServer, serving
from support.transfers.throttling_proxy import throttling_proxy
from tallow.app.crypto.errors import CancelledByPeerError, DeclinedError, UnconfirmedError
from tallow.app.peer.errors import NotConfirmedError
from tallow.app.peer.transfer import sender as senders
from tallow.app.peer.transfer.manifest import Manifest

pytestmark = pytest.mark.slow


class Person:
    """A person who answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[Manifest] = []
        self.answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def __call__(self, manifest: Manifest) -> bool:
        self.asked.append(manifest)
        return await asyncio.shield(self.answer)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "notes.txt"
    file.write_bytes(os.urandom(100_000))
    return file


@pytest.mark.parametrize("options", [RELAYED, DIRECT], ids=["relay", "direct"])
async def test_nothing_is_sent_before_the_confirmation(
    server: RunningServer, path: Path, tmp_path: Path, options: object
) -> None:
    person = Person()
    sender = await send(server.url, [path], options=options)  # type: ignore[arg-type]
    receiver = receive(sender.link, tmp_path / "out", options=options, confirm=person)  # type: ignore[arg-type]
    event = await sender.wait_for_event("confirming")
    assert event == await receiver.wait_for_event("confirming") == {"side": "receiver", "seconds": 300}
    [offer] = receiver.events_named("offer")
    assert offer == {"files": 1, "bytes": 100_000, "entries": [{"name": path.name, "size": 100_000}]}
    assert list((tmp_path / "out").iterdir()) == []
    assert server.value("transfers_started_total") == 0
    person.answer.set_result(True)
    await asyncio.gather(sender.task, receiver.task)
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    [asked] = person.asked
    assert [(entry.name, entry.size) for entry in asked.files] == [(path.name, 100_000)]


async def test_waiting_for_the_confirmation_is_not_queueing(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    person = Person()
    sender = await send(server.url, [path])
    receiver = receive(sender.link, tmp_path / "out", confirm=person)
    await sender.wait_for_event("confirming")
    for _ in range(3):  # at each second of the server
        await server.context.rooms.run_due_tasks()
        assert server.value("transfer_queue_depth") == 0
    person.answer.set_result(True)
    await asyncio.gather(sender.task, receiver.task)
    assert server.value("transfers_total", status="success", method="relay") == 1


async def test_declining_ends_both_sides(server: RunningServer, path: Path, tmp_path: Path) -> None:
    person = Person()
    sender = await send(server.url, [path])
    receiver = receive(sender.link, tmp_path / "out", confirm=person)
    await sender.wait_for_event("confirming")
    person.answer.set_result(False)
    assert type(await sender.wait_for_error()) is DeclinedError
    assert type(await receiver.wait_for_error()) is NotConfirmedError
    assert list((tmp_path / "out").iterdir()) == []
    assert server.value("transfers_total", status="cancelled", method="relay") == 1
    for severity in ("low", "medium", "high"):  # declining is not an error
        assert server.value("errors_total", type="transfer", severity=severity) == 0


async def test_no_answer_in_time_ends_both_sides(path: Path, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    async with serving(tmp_path / "server", confirmation_limit=1) as server:
        sender = await send(server.url, [path])
        receiver = receive(sender.link, tmp_path / "out", confirm=Person())
        assert type(await sender.wait_for_error()) is UnconfirmedError
        assert (
            str(await receiver.wait_for_error())
            == "the files were not confirmed within 1 seconds; nothing was received"
        )
        assert server.value("transfers_total", status="cancelled", method="relay") == 1


async def test_a_sender_limits_the_time_to_confirm(
    server: RunningServer, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver's own limit is disabled here: another program may have none."""
    monkeypatch.setattr(senders, "CONFIRMATION_ARRIVES_S", -299)
    sender = await send(server.url, [path])
    receiver = receive(sender.link, tmp_path / "out", confirm=Person())
    assert type(await sender.wait_for_error()) is UnconfirmedError
    assert isinstance(await receiver.wait_for_error(), CancelledByPeerError)


@pytest.mark.parametrize("who", ["sender", "receiver"])
async def test_either_side_can_cancel_during_the_question(
    server: RunningServer, path: Path, tmp_path: Path, who: str
) -> None:
    sender = await send(server.url, [path])
    receiver = receive(sender.link, tmp_path / "out", confirm=Person())
    await sender.wait_for_event("confirming")
    here, there = (sender, receiver) if who == "sender" else (receiver, sender)
    here.task.cancel()
    assert isinstance(await here.wait_for_error(), asyncio.CancelledError)
    assert isinstance(await there.wait_for_error(), CancelledByPeerError)
    assert server.value("transfers_total", status="cancelled", method="relay") == 1


@pytest.mark.parametrize("answers", ["while it is away", "when it is back"])
async def test_the_question_survives_a_lost_connection(
    server: RunningServer, path: Path, tmp_path: Path, answers: str
) -> None:
    person = Person()
    async with throttling_proxy(server.url) as way:
        sender = await send(way.url, [path])
        receiver = receive(sender.link, tmp_path / "out", url=way.url, confirm=person)
        await sender.wait_for_event("confirming")
        way.down = answers == "while it is away"
        way.abort_connections()
        if way.down:
            await receiver.wait_for_event("interrupted")
            person.answer.set_result(True)
            way.down = False
        else:
            await sender.wait_for_event("confirming", 2)
            assert server.value("transfer_queue_depth") == 0
            person.answer.set_result(True)
        await asyncio.gather(sender.task, receiver.task)
    assert len(person.asked) == 1
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


async def test_declining_does_not_wait_for_an_absent_sender(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    person = Person()
    async with throttling_proxy(server.url) as way:
        sender = await send(way.url, [path])
        receiver = receive(sender.link, tmp_path / "out", url=server.url, confirm=person)
        await sender.wait_for_event("confirming")
        way.down = True
        way.abort_connections()
        await server.wait_for_value("active_connections", 0, type="relay")
        await server.wait_for_value("device_connections", 1, device_type="cli")
        person.answer.set_result(False)
        assert type(await receiver.wait_for_error()) is NotConfirmedError
        way.down = False
        assert isinstance(await sender.wait_for_error(), CancelledByPeerError)


@pytest.mark.slow
async def test_a_resumed_transfer_does_not_ask_again(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(os.urandom(20_000_000))
    person, again = Person(), Person()
    person.answer.set_result(True)
    brief = replace(RELAYED, timing=replace(RELAYED.timing, give_up_after=0.3))
    async with throttling_proxy(server.url) as ours, throttling_proxy(server.url) as theirs:
        theirs.rate = 10_000_000
        sender = await send(ours.url, [path])
        receiver = receive(sender.link, tmp_path / "out", url=theirs.url, options=brief, confirm=person)
        await receiver.wait_for_event("progress")
        theirs.down = True
        theirs.abort_connections()
        assert "cannot be reached" in str(await receiver.wait_for_error())
        back = receive(sender.link, tmp_path / "out", confirm=again)
        await asyncio.gather(sender.task, back.task)
    assert (len(person.asked), len(again.asked)) == (1, 0)
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
