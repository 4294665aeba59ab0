"""A real Tallow server on a free loopback port, and a client for its protocol."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import websockets
from websockets.asyncio.client import ClientConnection

from tallow.app.commands.serve import extra_routes
from tallow.app.server.app import create_app
from tallow.app.server.context import ServerContext
from tallow.app.server.settings import ServerSettings
from tallow.app.server.transport.uvicorn_config import server_config
from tallow.app.wire import PROTOCOL_VERSION
from tallow.monitoring.integrations.http_server.server import LimitedServer
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry


@dataclass(frozen=True)
class Peer:
    """A peer that joined a room: its signaling socket and the content of the ``joined`` message."""

    socket: ClientConnection
    joined: dict[str, Any]

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.socket.recv())
        return message


@dataclass(frozen=True, kw_only=True)
class Client:
    """A client of a server's HTTP and WebSocket endpoints: rooms, signaling, relay, telemetry reports."""

    url: str
    http: httpx.AsyncClient
    made: list[tuple[str, bytes]] = field(default_factory=list, init=False)
    """Rooms created by this client, each with its join token."""

    async def room(self, token: bytes) -> str:
        answer = await self.http.post("/api/rooms", json={"token_hash": hashlib.sha256(token).hexdigest()})
        assert answer.status_code == 201, answer.text
        self.made.append((str(answer.json()["room"]), token))
        return self.made[-1][0]

    async def connect(self, path: str, **options: Any) -> ClientConnection:
        url = self.url.replace("http", "ws", 1) + path
        return await websockets.connect(url, compression=None, max_size=None, **options)

    async def join(self, room: str, token: bytes, role: str, **more: Any) -> Peer:
        """Join a room. An AssertionError holds the server's error message."""
        connection = await self.connect("/api/signal")
        peer = Peer(connection, {})
        await peer.send(**join_message(room, token, role, **more))
        peer.joined.update(await peer.receive())
        assert peer.joined["type"] == "joined", peer.joined
        return peer

    async def pair(self, across: Client | None = None) -> tuple[Peer, Peer]:
        """A sender and a receiver in a new room; the receiver joins at the server ``across`` if given."""
        token = os.urandom(32)
        room = await self.room(token)
        sender = await self.join(room, token, "sender")
        receiver = await (across or self).join(room, token, "receiver")
        assert await sender.receive() == {"type": "peer", "event": "joined"}
        return sender, receiver

    async def relay(self, peer: Peer) -> ClientConnection:
        connection = await self.connect("/api/relay")
        await connection.send(json.dumps({"type": "relay", "ticket": peer.joined["relay_ticket"]}))
        return connection

    async def relayed(self, *peers: Peer) -> list[ClientConnection]:
        """The relay sockets of both peers, after the server has paired them."""
        connections = [await self.relay(peer) for peer in peers]
        for connection in connections:
            assert json.loads(await connection.recv()) == {"type": "paired"}
        return connections

    async def report(self, token: str, metrics: Any, **more: Any) -> httpx.Response:
        body = {"version": 1, "metrics": metrics, **more}
        return await self.http.post("/api/telemetry", json=body, headers={"authorization": f"Bearer {token}"})


@dataclass(frozen=True, kw_only=True)
class RunningServer(Client):
    """A server that runs in this event loop."""

    registry: Registry
    context: ServerContext

    def value(self, name: str, **labels: str) -> float:
        return self.registry.value(name, **labels)

    async def wait_for_value(self, name: str, value: float, **labels: str) -> None:
        """Wait until a sample has a value; the test's own time limit ends the wait."""
        while self.value(name, **labels) != value:
            await asyncio.sleep(0.01)


@dataclass(frozen=True, kw_only=True)
class ServerProcess(Client):
    """A server in its own processes, started by ``tallow serve``."""

    pid: int

    def children(self) -> list[int]:
        """The process ids of the workers."""
        found = []
        for child in psutil.Process(self.pid).children():
            with suppress(psutil.NoSuchProcess):  # it ended meanwhile
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child.pid)
        return found

    def ports(self) -> list[int]:
        """The TCP ports on which the workers listen."""
        sockets = (found for pid in self.children() for found in psutil.Process(pid).net_connections("tcp"))
        return sorted({found.laddr.port for found in sockets if found.status == psutil.CONN_LISTEN})

    async def metrics(self) -> dict[str, float]:
        """Every sample of one scrape, by name and labels as in the exposition."""
        lines = (await self.http.get("/metrics")).text.splitlines()
        samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    async def wait_for_values(self, name: str, value: float, *also: str) -> dict[str, float]:
        """Wait until all the samples have a value; returns that scrape."""
        while True:
            found = await self.metrics()
            if all(found[sample] == value for sample in (name, *also)):
                return found
            await asyncio.sleep(0.05)

    def metrics_dir(self) -> Path:
        """The folder in which the workers store their metrics."""
        for child in self.children():
            return Path(psutil.Process(child).environ()["TALLOW_METRICS_DIR"])
        raise AssertionError("the server has no workers")


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def join_message(room: str, token: bytes, role: str, **more: Any) -> dict[str, Any]:
    message = {
        "type": "join",
        "version": PROTOCOL_VERSION,
        "room": room,
        "token": b64(token),
        "role": role,
        "device": "cli",
    }
    return message | more


def listener(host: str = "127.0.0.1") -> socket.socket:
    bound = socket.socket()
    bound.bind((host, 0))
    return bound


@asynccontextmanager
async def serving(folder: Path, **given: Any) -> AsyncIterator[RunningServer]:
    """A server in this event loop with its own registry; ``given`` are settings.

    ``wrap`` is a function that puts ASGI middleware around the server's application; ``host`` is the address
    to listen on.
    """
    host = given.pop("host", "127.0.0.1")
    wrap: Callable[[Any], Any] = given.pop("wrap", lambda app: app)
    settings = ServerSettings(data_dir=folder, **given)
    registry = Registry()
    app = create_app(settings, metrics=Metrics(registry), extra_routes=extra_routes(settings))
    server = LimitedServer(server_config(wrap(app), settings, metrics=app.state.context.metrics))
    bound = listener(host)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    task = asyncio.create_task(server.serve([bound]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
            if task.done():
                task.result()
        async with httpx.AsyncClient(base_url=url) as http:
            yield RunningServer(url=url, http=http, registry=registry, context=app.state.context)
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def tallow_serve(folder: Path, *options: str, **environment: str) -> AsyncIterator[ServerProcess]:
    """Run ``tallow serve`` on a free port with the settings in ``environment``."""
    command = [sys.executable, "-m", "tallow", "serve", "--port", "0", "--data-dir", str(folder), *options]
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | environment, stderr=asyncio.subprocess.PIPE, cwd=folder
    )
    assert process.stderr
    try:
        announced = (await process.stderr.readline()).decode()
        assert announced.startswith("Tallow listens on "), announced + (await process.stderr.read()).decode()
        url = announced.split()[-1]
        draining = asyncio.create_task(process.stderr.read())
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            yield ServerProcess(url=url, http=http, pid=process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await draining


def startup_error(tmp_path: Path, *options: str, **environment: str) -> str:
    """The last line on standard error of a ``tallow serve`` that fails to start."""
    ended = subprocess.run(
        [sys.executable, "-m", "tallow", "serve", "--port", "0", *options],
        env=os.environ | {"TALLOW_DATA_DIR": str(tmp_path)} | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip().splitlines()[-1]
