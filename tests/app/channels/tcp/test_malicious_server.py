"""A malicious server reads, drops, swaps and replays the sealed addresses of two real peers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from support.transfers.malicious_server import MaliciousServer, Rewrite
from support.transfers.peers import SHORT_WAITS, TCP, create_room, receive, send, transfer_files
from support.transfers.server import RunningServer, serving
from tallow.app.channels.tcp import dialer
from tallow.app.channels.tcp.addresses import Endpoint
from tallow.app.channels.tcp.listener import Listener
from tallow.app.crypto.sealed_signals import SignalSealer
from tallow.app.wire import Role

pytestmark = pytest.mark.slow

OPTIONS = replace(TCP, timing=replace(SHORT_WAITS, direct_timeout=1.5, head_start=0.5))
IGNORED: dict[str, Any] = {"type": "candidate", "data": {}}


@dataclass
class World:
    """The server, what it does to signals, and what the peers open and dial on real sockets."""

    server: RunningServer
    attacker: MaliciousServer
    listeners: list[Listener] = field(default_factory=list)
    named: set[Endpoint] = field(default_factory=set)
    dialled: list[Endpoint] = field(default_factory=list)


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    attacker = MaliciousServer()
    (tmp_path / "server").mkdir()
    async with serving(tmp_path / "server", wrap=attacker.wrap) as server:
        world = World(server, attacker)
        watch_sockets(world, monkeypatch)
        yield world


def watch_sockets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, dial = Listener.__init__, dialer._dial

    def listening(self: Listener, *given: Any, **more: Any) -> None:
        opened(self, *given, **more)
        world.listeners.append(self)
        world.named.update(self.endpoints)

    async def dialling(endpoint: Endpoint, *more: Any) -> None:
        world.dialled.append(endpoint)
        await dial(endpoint, *more)

    monkeypatch.setattr(Listener, "__init__", listening)
    monkeypatch.setattr(dialer, "_dial", dialling)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "notes.bin"
    file.write_bytes(os.urandom(300_000))
    return file


def of_tcp(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Rewrite:
    """Change the signals of TCP, and pass on all others."""
    return lambda message: change(message) if message.get("data", {}).get("channel") == "tcp" else message


def with_data(message: dict[str, Any], **data: str) -> dict[str, Any]:
    return message | {"data": message["data"] | data}


def dropped(_message: dict[str, Any]) -> dict[str, Any]:
    return IGNORED


def sealed_by_the_server(message: dict[str, Any]) -> dict[str, Any]:
    """An address of the server's choice, sealed under a secret of its own."""
    role: Role = "sender" if message["type"] == "offer" else "receiver"
    data = message["data"]
    chosen: dict[str, object] = {
        "nonce": "A" * 43,
        "host": "x",
        "addresses": [["192.0.2.1", 22], ["127.0.0.1", 22]],
    }
    return with_data(
        message, sealed=SignalSealer(bytes(16), role).seal(message["type"], data["attempt"], "tcp", chosen)
    )


def plain(message: dict[str, Any]) -> dict[str, Any]:
    return message | {"data": message["data"] | {"addresses": [["127.0.0.1", 22]]}}


def changed(message: dict[str, Any]) -> dict[str, Any]:
    sealed = message["data"]["sealed"]
    return with_data(message, sealed=sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:])


class Swapped:
    """Each side gets its own signal back, or that of the other direction under another type."""

    def __init__(self) -> None:
        self.offer = ""

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["type"] == "offer":
            self.offer = message["data"]["sealed"]
            return message
        return with_data(message, sealed=self.offer)


class Replayed:
    """Signals of the first attempt in place of those of all later ones."""

    def __init__(self, *, keep_attempt: bool) -> None:
        self.first: dict[str, dict[str, Any]] = {}
        self.keep_attempt = keep_attempt

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        first = self.first.setdefault(message["type"], message)
        if self.keep_attempt:
            return with_data(message, sealed=first["data"]["sealed"])
        return first


ATTACKS: dict[str, Callable[[], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "dropped": lambda: dropped,
    "of the server": lambda: sealed_by_the_server,
    "plain": lambda: plain,
    "changed": lambda: changed,
    "swapped": Swapped,
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_nobody_dials_what_the_other_side_has_not_named(
    world: World, path: Path, tmp_path: Path, attack: str
) -> None:
    """The transfer goes over the relay, or over TCP if the attack leaves the sealed part alone."""
    world.attacker.signaling = of_tcp(ATTACKS[attack]())
    sender = await send(world.server.url, [path], options=OPTIONS)
    receiver = receive(sender.link, tmp_path / "out", options=OPTIONS)
    errors = [await sender.wait_for_error(), await receiver.wait_for_error()]
    if errors == [None, None]:
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    else:  # the first signal was unreadable: that looks like another link, and nothing is sent
        assert attack in {"of the server", "changed", "swapped"}, errors
    assert set(world.dialled) <= world.named
    assert all(listening.fileno() == -1 for each in world.listeners for listening in each._sockets)


@pytest.mark.parametrize("keep_attempt", [True, False], ids=["relabelled", "as they were"])
async def test_replayed_addresses_of_an_ended_attempt_lead_nowhere(
    world: World, path: Path, tmp_path: Path, keep_attempt: bool
) -> None:
    """The ports of the first transfer are closed; those of the second are not learnt from the replay."""
    attack = Replayed(keep_attempt=keep_attempt)
    world.attacker.signaling = of_tcp(attack)
    await transfer_files(world.server.url, [path], tmp_path / "first", options=OPTIONS)
    named_before = set(world.named)
    world.dialled.clear()
    sender = await send(world.server.url, [path], options=OPTIONS, sent=await create_room(world.server.url))
    receiver = receive(sender.link, tmp_path / "second", options=OPTIONS)
    await asyncio.gather(sender.wait_for_error(), receiver.wait_for_error())
    assert set(world.dialled) <= world.named
    assert not named_before & set(world.dialled)  # of another link: it cannot be opened


async def test_the_server_reads_no_address(world: World, path: Path, tmp_path: Path) -> None:
    await transfer_files(world.server.url, [path], tmp_path / "out", options=OPTIONS)
    assert world.server.value("direct_connections_total", transport="tcp", status="success") == 1
    assert world.named
    bodies = [part for part in world.attacker.seen if b'"sealed"' in part]
    assert bodies
    for endpoint in world.named:
        for shown in (f'"{endpoint.text}"', f"{endpoint.port}]", f" {endpoint.port}"):
            assert not any(shown.encode() in body for body in bodies)


async def test_the_ports_close_with_the_choice_of_the_channel(
    world: World, path: Path, tmp_path: Path
) -> None:
    """While the data still flows nobody can connect to the ports any more."""
    path.write_bytes(os.urandom(4_000_000))
    options = replace(OPTIONS, limit=2_000_000)
    sender = await send(world.server.url, [path], options=options)
    receiver = receive(sender.link, tmp_path / "out", options=OPTIONS)
    await receiver.wait_for_event("progress")
    assert not receiver.task.done()
    for endpoint in world.named:
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncio.open_connection(endpoint.text, endpoint.port)
    await asyncio.gather(sender.task, receiver.task)
