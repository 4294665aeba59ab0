"""An open WebSocket moves to the worker that owns its room, or stays where it is."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import websockets
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from support.certificates import self_signed
from support.transfers.server import listener
from tallow.app.server.cluster import socket_handoff
from tallow.app.server.cluster.node import take_over_connections
from tallow.app.server.cluster.room_directory import NodeAddress
from tallow.app.server.cluster.socket_handoff import HandoffListener, WorkerSockets, hand_over
from tallow.app.server.settings import ServerSettings
from tallow.app.server.transport.movable_websocket import MovableWebSocket, is_adopted, movable
from tallow.app.server.transport.uvicorn_config import listen_unix, server_config
from tallow.monitoring.http.websocket_exchange import MOVED
from tallow.monitoring.integrations.uvicorn_config import EmbeddedServer

OTHER = NodeAddress("127.0.0.1:7")
OWN = NodeAddress("127.0.0.1:8")


@dataclass
class Worker:
    """A server whose application answers each message with its own name."""

    name: str
    move: Callable[[Any, str], Awaitable[bool]] | None = None
    scopes: list[Any] = field(default_factory=list)
    url: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            text = message["text"]
            if self.move is not None:
                connection = movable(scope)
                assert connection is not None
                move, self.move = self.move, None
                if await move(connection, text):
                    return
            await send({"type": "websocket.send", "text": f"{self.name} {text}"})

    @asynccontextmanager
    async def serving(self, **options: Any) -> AsyncIterator[EmbeddedServer]:
        settings = ServerSettings.load()
        server = EmbeddedServer(server_config(self, settings, lifespan="off", **options))
        bound = listener()
        self.url = f"127.0.0.1:{bound.getsockname()[1]}"
        task = asyncio.create_task(server.serve([bound]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield server
        finally:
            server.should_exit = True
            await task


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return WorkerSockets(tmp_path, OTHER).path


async def connect(worker: Worker) -> ClientConnection:
    return await websockets.connect(f"ws://{worker.url}/some/path?a=b", compression=None)


def send_raw(connection: ClientConnection, data: bytes) -> None:
    connection.transport.write(data)


def frame(text: str) -> bytes:
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=True)


@asynccontextmanager
async def two_workers(tmp_path: Path) -> AsyncIterator[tuple[Worker, Worker]]:
    """The first one moves its next connection to the second one."""
    sockets = WorkerSockets(tmp_path, OTHER)
    first, second = Worker("first"), Worker("second")
    async with first.serving(), second.serving() as owner:
        handoffs = take_over_connections(sockets, owner)
        first.move = lambda connection, text: hand_over(connection, sockets.path, text)
        try:
            yield first, second
        finally:
            await handoffs.close()


async def test_a_connection_moves_with_its_first_message(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as (first, second):
        client = await connect(first)
        await client.send("one")
        assert await client.recv() == "second one"
        await client.send("two")
        assert await client.recv() == "second two"
        assert MOVED in first.scopes[0]["extensions"]
        assert is_adopted(second.scopes[0])
        for name in ("path", "query_string", "headers", "client", "scheme", "subprotocols"):
            assert first.scopes[0][name] == second.scopes[0][name], name
        await client.close()


async def test_what_was_read_behind_the_first_message_moves_too(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as (first, _):
        client = await connect(first)
        rest = frame("three " + "x" * 1000)
        send_raw(client, frame("one") + frame("two") + rest[:500])
        assert [await client.recv(), await client.recv()] == ["second one", "second two"]
        send_raw(client, rest[500:])
        assert await client.recv() == "second three " + "x" * 1000


async def test_the_first_worker_closes_its_descriptor(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as (first, _):
        client = await connect(first)
        await client.send("one")
        await client.recv()
        await client.close()
        # The end of the connection reaches the client, so no process holds a copy of the descriptor.
        assert client.close_code == 1000


async def test_a_connection_that_moved_is_closed_when_its_owner_stops(tmp_path: Path) -> None:
    sockets = WorkerSockets(tmp_path, OTHER)
    first, second = Worker("first"), Worker("second")
    async with first.serving():
        async with second.serving() as owner:
            handoffs = take_over_connections(sockets, owner)
            first.move = lambda connection, text: hand_over(connection, sockets.path, text)
            client = await connect(first)
            await client.send("one")
            await client.recv()
            await handoffs.close()
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1012


async def test_without_an_owner_the_connection_stays(path: Path) -> None:
    first = Worker("first", move=lambda connection, text: hand_over(connection, path, text))
    async with first.serving():
        client = await connect(first)
        send_raw(client, frame("one") + frame("two"))
        assert [await client.recv(), await client.recv()] == ["first one", "first two"]


Answer = Callable[[socket.socket], Awaitable[None]]


async def say_nothing(owner: socket.socket) -> None:
    await asyncio.sleep(60)


async def close_at_once(owner: socket.socket) -> None:
    owner.close()


async def answer_something_else(owner: socket.socket) -> None:
    await asyncio.get_running_loop().sock_sendall(owner, b"no")


@pytest.mark.parametrize("answer", [say_nothing, close_at_once, answer_something_else])
async def test_with_a_failing_owner_the_connection_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.setattr(socket_handoff, "TIMEOUT_S", 0.1)
    loop = asyncio.get_running_loop()
    owner = listen_unix(path)
    owner.setblocking(False)

    async def accept() -> None:
        accepted, _ = await loop.sock_accept(owner)
        with accepted:
            await answer(accepted)

    task = asyncio.create_task(accept())
    first = Worker("first", move=lambda connection, text: hand_over(connection, path, text))
    async with first.serving():
        client = await connect(first)
        send_raw(client, frame("one") + frame("two"))
        assert [await client.recv(), await client.recv()] == ["first one", "first two"]
        await client.send("three")
        assert await client.recv() == "first three"
    task.cancel()
    owner.close()


async def test_an_owner_that_dies_before_it_is_ready_leaves_the_connection(path: Path) -> None:
    """The descriptor was passed already; the kernel closes the copy of the owner."""
    loop = asyncio.get_running_loop()
    owner = listen_unix(path)
    owner.setblocking(False)

    async def die() -> None:
        accepted, _ = await loop.sock_accept(owner)
        with accepted:
            await asyncio.sleep(0.05)
            _, descriptors, _, _ = socket.recv_fds(accepted, 1 << 16, 1)
            socket.socket(fileno=descriptors[0]).close()

    task = asyncio.create_task(die())
    first = Worker("first", move=lambda connection, text: hand_over(connection, path, text))
    async with first.serving():
        client = await connect(first)
        await client.send("one")
        assert await client.recv() == "first one"
        await task
        await client.send("two")
        assert await client.recv() == "first two"
    owner.close()


async def test_an_owner_without_a_place_leaves_the_connection(path: Path) -> None:
    handoffs = HandoffListener(listen_unix(path), lambda: None)
    first = Worker("first", move=lambda connection, text: hand_over(connection, path, text))
    async with first.serving():
        client = await connect(first)
        await client.send("one")
        assert await client.recv() == "first one"
    await handoffs.close()


def unused_protocol() -> MovableWebSocket:
    config = server_config(Worker("unused"), ServerSettings.load(), lifespan="off")
    config.load()
    return MovableWebSocket(config, ServerState(), {})


@pytest.mark.parametrize(
    "sent",
    [
        [b"\0\0\0\2", b"{}"],  # it ends where it must say go
        [b"\0\0\0\2", b"{"],
        [b"\0\0\0\1", b"x"],
        [b"\xff\xff\xff\xff"],
    ],
)
async def test_a_worker_that_dies_in_the_middle_takes_nothing_along(path: Path, sent: list[bytes]) -> None:
    """The owner closes its copy; the other end sees the end once the dying worker's copy is closed too."""
    protocol = unused_protocol()
    handoffs = HandoffListener(listen_unix(path), lambda: protocol)
    loop = asyncio.get_running_loop()
    client, served = socket.socketpair()
    client.setblocking(False)
    with socket.socket(socket.AF_UNIX) as worker, client:
        worker.setblocking(False)
        await loop.sock_connect(worker, str(path))
        socket.send_fds(worker, sent[:1], [served.fileno()])
        for part in sent[1:]:
            await loop.sock_sendall(worker, part)
        served.close()
        worker.shutdown(socket.SHUT_WR)
        assert await loop.sock_recv(client, 1) == b""
    transport: Any = protocol.transport
    assert transport is None
    await handoffs.close()


async def test_a_worker_that_sends_no_descriptor_is_ignored(path: Path) -> None:
    handoffs = HandoffListener(listen_unix(path), unused_protocol)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as worker:
        worker.setblocking(False)
        await loop.sock_connect(worker, str(path))
        await loop.sock_sendall(worker, b"\0\0\0\0")  # no state either: nothing is left unread
        assert await loop.sock_recv(worker, 1) == b""
    await handoffs.close()


async def test_an_encrypted_connection_stays(tmp_path: Path, path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificate))
    sockets = WorkerSockets(tmp_path, OTHER)
    first, second = Worker("first"), Worker("second")
    async with second.serving() as owner:
        handoffs = take_over_connections(sockets, owner)
        first.move = lambda connection, text: hand_over(connection, path, text)
        async with first.serving(ssl_certfile=certificate, ssl_keyfile=key):
            client = await websockets.connect(f"wss://{first.url}/", ssl=trust, compression=None)
            await client.send("one")
            assert await client.recv() == "first one"
        await handoffs.close()
    assert second.scopes == []


def test_only_workers_of_the_same_server_are_found(tmp_path: Path) -> None:
    here = WorkerSockets(tmp_path, OWN)
    WorkerSockets(tmp_path, OTHER).path.touch()
    assert here.find(OTHER) == tmp_path / "7.handoff"
    assert here.find(NodeAddress("127.0.0.1:9")) is None
    assert here.find(NodeAddress("10.0.0.1:7")) is None
    slots = WorkerSockets(tmp_path, NodeAddress(socket_path=str(tmp_path / "0.sock")))
    (tmp_path / "1.handoff").touch()
    assert slots.path == tmp_path / "0.handoff"
    assert slots.find(NodeAddress(socket_path=str(tmp_path / "1.sock"))) == tmp_path / "1.handoff"
    assert slots.find(NodeAddress(socket_path=str(tmp_path / "2.sock"))) is None
