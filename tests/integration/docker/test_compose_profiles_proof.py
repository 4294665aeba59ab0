"""The profiles `promtail` and `turn`: Promtail itself, and Debian's coturn."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import aioice.turn
import pytest

from support.docker import stand_ins
from support.docker.compose_stack import ComposeStack
from support.docker.engine import DockerEngine
from support.docker.hardening import assert_hardened
from support.programs.turn import SECRET, Turn
from support.stack import wait_until
from tallow.stack.engines.docker.project import project_name
from tallow.stack.engines.state.state_dir import StateDir

pytestmark = [pytest.mark.proof, pytest.mark.integration, pytest.mark.timeout(3600)]

URL: Final = "turn:127.0.0.1:3478"


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """A stack with both profiles."""
    folder = tmp_path_factory.mktemp("profiles")
    for load in (stand_ins.load_promtail, stand_ins.load_coturn):
        load(engine)
    (folder / ".env").write_text(f'TURN_SECRET="{SECRET}"\nICE_SERVERS={URL}\n')
    started = ComposeStack(engine, StateDir(folder / "home"), folder)
    try:
        started.tallow("up", "--engine", "docker", "--profile", "promtail", "--profile", "turn")
        yield started
    finally:
        started.run("down", "--purge")


def test_every_service_of_the_profiles_is_healthy(stack: ComposeStack) -> None:
    services = json.loads(stack.tallow("status", "--json"))["services"]
    assert {"loki", "promtail", "turn"} <= {*services}
    assert {found["state"] for found in services.values()} == {"healthy"}


@pytest.mark.parametrize("service", ["loki", "promtail", "turn"])
def test_each_container_of_a_profile_is_hardened(stack: ComposeStack, service: str) -> None:
    assert_hardened(stack, service)


def test_promtail_sends_the_log_of_tallow_to_loki_and_keeps_its_position(stack: ComposeStack) -> None:
    def in_loki() -> list[Any]:
        answer = stack.get(3100, "/loki/api/v1/query_range", query='{service_name="tallow"} | level="info"')
        found: list[Any] = answer.json()["data"]["result"]
        return found

    def position() -> str:
        command = ("exec", stack.container_id("promtail"), "cat", "/var/lib/promtail/positions.yaml")
        return stack.engine.docker(*command, check=False)

    assert wait_until(in_loki, "a line in Loki")
    assert wait_until(lambda: re.search(r"/tallow\.log: \"[1-9]", position()), "the position is stored")


class Received(asyncio.DatagramProtocol):
    """Keeps the datagrams that arrive."""

    def __init__(self) -> None:
        self.datagrams: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.datagrams.put_nowait((data, addr))


def test_coturn_relays_with_the_credentials_of_the_server(stack: ComposeStack) -> None:
    gateway = stack.engine.docker(
        *("network", "inspect", f"{project_name(stack.home)}_app"),
        *("--format", "{{(index .IPAM.Config 0).Gateway}}"),
    ).strip()
    with stack.engine.network():
        relayed, arrived, answered = asyncio.run(relay(gateway))
    assert relayed[0] == "127.0.0.1"
    assert 49160 <= relayed[1] <= 49200
    assert (arrived, answered) == (b"to the peer", b"back")


async def relay(peer_address: str) -> tuple[tuple[str, int], bytes, bytes]:
    """Exchange two datagrams with a peer over the relay: its address for peers, and what arrived."""
    [server] = Turn(URL, Path()).servers()
    loop, client, peer = asyncio.get_running_loop(), Received(), Received()
    peer_transport, _ = await loop.create_datagram_endpoint(lambda: peer, local_addr=("0.0.0.0", 0))
    transport, _ = await aioice.turn.create_turn_endpoint(
        lambda: client, ("127.0.0.1", 3478), server["username"], server["credential"]
    )
    try:
        transport.sendto(b"to the peer", (peer_address, peer_transport.get_extra_info("sockname")[1]))
        arrived, source = await asyncio.wait_for(peer.datagrams.get(), 30)
        peer_transport.sendto(b"back", source)
        answered, _ = await asyncio.wait_for(client.datagrams.get(), 30)
        return transport.get_extra_info("sockname"), arrived, answered
    finally:
        transport.close()
        peer_transport.close()


def test_an_address_that_coturn_cannot_use_is_refused_and_nothing_changes(stack: ComposeStack) -> None:
    settings = stack.work / ".env"
    before = settings.read_text()
    settings.write_text(before.replace(URL, "turn:[2001:db8::7]:3478"))
    done = stack.run("reload")
    settings.write_text(before)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: ICE_SERVERS has the TURN server [2001:db8::7], an IPv6 address")
    assert "nothing has changed" in stack.tallow("reload")


def test_without_a_secret_coturn_serves_nobody(stack: ComposeStack) -> None:
    (stack.work / ".env").write_text(f"ICE_SERVERS={URL}\n")
    assert "turn: restarted" in stack.tallow("reload")
    with stack.engine.network(), pytest.raises(aioice.stun.TransactionFailed, match="401"):
        asyncio.run(relay("127.0.0.1"))
