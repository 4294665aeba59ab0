"""Debian's coturn with the credentials that the Tallow server issues."""

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
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack import credentials
from tallow.stack.compose import optional
from tallow.stack.engines.docker import configuration, layout
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

SECRET = "a secret that coturn and the server share"


@dataclass(frozen=True)
class Turn:
    """A running TURN server."""

    url: str
    log: Path

    def settings(self, secret: str = SECRET) -> dict[str, Any]:
        """The settings of a Tallow server that offers this TURN server."""
        return {"ice_servers": self.url, "turn_secret": secret}

    def servers(self, secret: str = SECRET) -> list[dict[str, Any]]:
        """The ICE servers that a peer receives."""
        return ice_servers(ServerSettings(**self.settings(secret)))


@asynccontextmanager
async def coturn(folder: Path) -> AsyncIterator[Turn]:
    """A TURN server on a free port of loopback."""
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
    arguments = ["-n", *(word for option in options.items() for word in option), *flags]
    async with _running(folder, arguments, "127.0.0.1", port):
        yield Turn(f"turn:127.0.0.1:{port}", log)


@asynccontextmanager
async def shipped_coturn(folder: Path, address: str, **variables: str) -> AsyncIterator[Turn]:
    """A TURN server with the file and the arguments of the Compose service, on its port 3478.

    Needs a network of its own, with an address besides loopback, which the file does not relay to.

    Args:
        address: the address that peers use.
        variables: the operator's settings.
    """
    home = StateDir(folder / "home")
    home.make()
    credentials.create_missing(home.secrets)
    settings = StackSettings.load(VariableSource(variables))
    secrets = configuration.render(home, StackOptions(), settings, variables).secrets
    written = folder / "turnserver.conf"
    written.write_text(secrets[layout.container_secrets(home) / "turn" / "turnserver.conf"])
    arguments = [one.replace("/run/secrets/turn", str(folder)) for one in optional.turn()["command"]]
    async with _running(folder, arguments, address, 3478):
        yield Turn(f"turn:{address}:3478", folder / "turn.out")


@asynccontextmanager
async def _running(folder: Path, arguments: list[str], address: str, port: int) -> AsyncIterator[None]:
    server = program("turnserver")
    own = (f"--pidfile={folder / 'turn.pid'}", f"--userdb={folder / 'turn.db'}")
    with (folder / "turn.out").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            server, *arguments, *own, env=environment(server), cwd=folder, stdout=output, stderr=output
        )
    try:
        await wait_for_port(port, address)
        yield
    finally:
        process.terminate()
        await process.wait()


async def wait_for_port(port: int, address: str = "127.0.0.1") -> None:
    """Wait until a port accepts TCP connections; the test's own time limit ends the wait."""
    while True:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
