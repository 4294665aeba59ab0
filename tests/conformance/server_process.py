"""Start a server with an application of one file, and send it requests that no client library would send."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from conformance.servers import COMMANDS, ROOT, START_SECONDS, environment
from support.programs.databases import free_port

KILL_SECONDS = 15
"""Seconds after which a server that does not end is killed: three times what is promised."""

APPLICATION = """
import logging
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from tallow.monitoring import instrument
from tallow.monitoring.metrics import Counter

ITEMS = Counter("items", "Items that were shown.")

async def item(request):
    ITEMS.inc()
    logging.getLogger("shop").warning("Opened %s", request.url.path)
    return PlainTextResponse("x")

async def broken(request):
    raise ValueError("no")

async def chat(websocket):
    await websocket.accept()
    await websocket.close()

async def noise(request):
    for _ in range(5000):
        logging.getLogger("shop").warning("x" * 100)
    return PlainTextResponse("x")

app = instrument(
    Starlette(
        routes=[
            Route("/item/{name}", item),
            Route("/broken/{name}", broken),
            Route("/noise", noise),
            WebSocketRoute("/chat/{name}", chat),
        ]
    )
)
"""


class ServerProcess:
    """A running server.

    Attributes:
        process: the server or its supervisor.
        port: on 127.0.0.1.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def send(self, request: bytes) -> bytes:
        """Send bytes on a new connection, and return the answer until the server closes it or pauses."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS) as connection:
            with suppress(OSError):
                connection.sendall(request)
                connection.settimeout(2)
                while part := connection.recv(65536):
                    answer += part
        return answer

    def get(self, path: str) -> bytes:
        """The answer to a GET on a new connection."""
        headers = (
            "Host: localhost\r\nUser-Agent: SECRET\r\nReferer: http://SECRET/\r\nConnection: close\r\n\r\n"
        )
        return self.send(f"GET {path} HTTP/1.1\r\n{headers}".encode())

    def stop(self) -> bool:
        """Send SIGTERM: whether the server ends by itself."""
        self.process.terminate()
        try:
            self.process.wait(KILL_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False
        return True


@contextmanager
def running(
    server: str,
    folder: Path,
    options: tuple[str, ...] = (),
    variables: Mapping[str, str] | None = None,
    output: int | None = None,
    errors: int | None = None,
) -> Iterator[ServerProcess]:
    """Run :data:`APPLICATION`.

    Args:
        server: a key of ``COMMANDS``.
        folder: for the application and, as ``server.log``, what the server writes.
        options: further options of the server.
        variables: further environment variables.
        output: a descriptor for standard output instead of the file.
        errors: a descriptor for standard error instead of the file.
    """
    (folder / "shop.py").write_text(APPLICATION)
    port = free_port()
    command = [part.format(port=port, app="shop:app") for part in COMMANDS[server]]
    command = [part for part in command if part not in {"--log-level", "warning"}]
    command[2:2] = options
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [environment(), *command],
            stdout=log if output is None else output,
            stderr=log if errors is None else errors,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), **(variables or {})},
        )
    started = ServerProcess(process, port)
    try:
        _wait_until_ready(started)
        yield started
    finally:
        if process.poll() is None:
            started.stop()


def _wait_until_ready(server: ServerProcess) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if b" 200 " in server.get("/api/health/liveness")[:20]:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the server has not started: status {server.process.poll()}")
