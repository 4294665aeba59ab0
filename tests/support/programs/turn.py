"""Debian's coturn on loopback with the credentials that the Tallow server issues."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.programs.debian import environment, program
from tallow.app.server.settings import ServerSettings
from tallow.app.server.transport.ice_servers import ice_servers

SECRET = "a secret that coturn and the server share"


@dataclass(frozen=True)
class Turn:
    """A running TURN server."""

    url: str
    log: Path

    def settings(self) -> dict[str, Any]:
        """The settings of a Tallow server that offers this TURN server."""
        return {"ice_servers": self.url, "turn_secret": SECRET}

    def servers(self) -> list[dict[str, Any]]:
        """The ICE servers that a peer receives."""
        return ice_servers(ServerSettings(**self.settings()))


@asynccontextmanager
async def coturn(folder: Path) -> AsyncIterator[Turn]:
    """A TURN server on a free port."""
    server = program("turnserver")
    port = free_port()
    log = folder / "turn.log"
    options = {
        "--listening-ip": "127.0.0.1",
        "--relay-ip": "127.0.0.1",
        "--listening-port": str(port),
        "--min-port": "20000",
        "--max-port": "29999",
        "--realm": "tallow",
        "--static-auth-secret": SECRET,
        "--log-file": str(log),
        "--pidfile": str(folder / "turn.pid"),
        "--userdb": str(folder / "turn.db"),
    }
    flags = [
        "--use-auth-secret",
        "--allow-loopback-peers",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--simple-log",
        "-v",
    ]
    process = await asyncio.create_subprocess_exec(
        server,
        "-n",
        *(word for option in options.items() for word in option),
        *flags,
        env=environment(server),
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await wait_for_port(port)
        yield Turn(f"turn:127.0.0.1:{port}", log)
    finally:
        process.terminate()
        await process.wait()


async def wait_for_port(port: int) -> None:
    """Wait until a port accepts TCP connections; the test's own time limit ends the wait."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
