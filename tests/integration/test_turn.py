"""Transfers with Debian's coturn as STUN and TURN server, for peers that cannot connect directly."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aioice.turn
import pytest
from aioice import stun

from support.network_namespace import own_network
from support.programs.turn import Turn, coturn, shipped_coturn
from support.transfers.peers import DIRECT, SHORT_WAITS, receive, send
from support.transfers.server import RunningServer, serving
from tallow.app.channels import ice
from tallow.app.peer.options import TransferOptions

pytestmark = pytest.mark.integration

PATIENT = replace(
    DIRECT, timing=replace(SHORT_WAITS, direct_timeout=60, channel_timeout=60), transports=("webrtc",)
)
"""A busy machine takes seconds for a connection through TURN."""
RELAY_ONLY = replace(PATIENT, relay="relay")
ADDRESS = "10.1.0.1"
SHIPPED_SECRET = "a secret = of many # characters"
TCP_TRANSPORT = 0x06000000
UNSUPPORTED_TRANSPORT = 442
"""An error code of RFC 8656, section 19."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))


async def test_a_forced_relay_uses_turn_and_is_counted_as_relayed(tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn, serving(tmp_path, **turn.settings()) as server:
        await transfer(server, tmp_path, RELAY_ONLY)
        value = server.value
        assert value("transfers_total", status="success", method="relay") == 1
        assert value("transfers_total", status="success", method="p2p") == 0
        assert value("webrtc_connections_total", type="relay", status="success") == 1
        assert value("connection_establishment_seconds_count", type="relay") == 1
        assert value("nat_traversal_total", strategy="turn", status="success") == 1
        assert value("turn_relay_usage_total", forced="true") == 1
        assert value("turn_relay_usage_total", forced="false") == 0
        assert value("connection_quality_score_count", type="relay") == 1
        assert value("bandwidth_utilization_mbps", direction="sent") == 0
        assert value("bytes_transferred_total", direction="received") == 2_000_000


@pytest.mark.proof
async def test_peers_behind_nat_connect_by_stun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reach_only(monkeypatch, "srflx")
    async with coturn(tmp_path) as turn:
        stun = turn.url.replace("turn:", "stun:")
        async with serving(tmp_path, ice_servers=stun) as server:
            await transfer(server, tmp_path, PATIENT)
            value = server.value
            assert value("nat_traversal_total", strategy="stun", status="success") == 1
            assert value("nat_traversal_total", strategy="host", status="success") == 0
            assert value("webrtc_connections_total", type="direct", status="success") == 1
            assert value("transfers_total", status="success", method="p2p") == 1
            assert value("turn_relay_usage_total", forced="false") == 0


@pytest.mark.proof
async def test_peers_that_reach_only_turn_are_counted_as_not_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach_only(monkeypatch, "relay")
    async with coturn(tmp_path) as turn, serving(tmp_path, **turn.settings()) as server:
        await transfer(server, tmp_path, PATIENT)
        value = server.value
        assert value("nat_traversal_total", strategy="turn", status="success") == 1
        assert value("webrtc_connections_total", type="relay", status="success") == 1
        assert value("turn_relay_usage_total", forced="false") == 1
        assert value("turn_relay_usage_total", forced="true") == 0
        assert value("transfers_total", status="success", method="relay") == 1


@pytest.mark.proof
async def test_a_turn_server_that_refuses_is_counted_and_replaced(tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn:
        settings = turn.settings() | {"turn_secret": "not the secret of this server"}
        async with serving(tmp_path, **settings) as server:
            await transfer(server, tmp_path, RELAY_ONLY)
            value = server.value
            assert value("nat_traversal_total", strategy="turn", status="failed") == 1
            assert value("webrtc_connections_total", type="relay", status="failed") == 1
            assert value("turn_relay_usage_total", forced="true") == 0
            assert value("transfers_total", status="success", method="relay") == 1


@pytest.mark.proof
async def test_each_strategy_fails_without_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No candidate of the other side is reachable: Tallow's relay is used."""
    reach_only(monkeypatch, "none")
    async with coturn(tmp_path) as turn, serving(tmp_path, **turn.settings()) as server:
        await transfer(server, tmp_path, PATIENT)
        for strategy in ("host", "stun", "turn"):
            assert server.value("nat_traversal_total", strategy=strategy, status="failed") == 1
        assert server.value("webrtc_connections_total", type="direct", status="failed") == 1
        assert server.value("transfers_total", status="success", method="relay") == 1


NETWORK = ("link add veth0 type veth peer name veth1", f"addr add {ADDRESS}/24 dev veth0")
DEVICES = ("link set veth0 up", "link set veth1 up")


@pytest.fixture
def network() -> Iterator[None]:
    with own_network((*NETWORK, *DEVICES)):
        yield


@pytest.mark.proof
@pytest.mark.usefixtures("network")
async def test_a_transfer_crosses_the_turn_server_of_the_compose_file(tmp_path: Path) -> None:
    async with (
        shipped_coturn(tmp_path, ADDRESS, TURN_SECRET=SHIPPED_SECRET) as turn,
        serving(tmp_path, ice_servers=turn.url, turn_secret=SHIPPED_SECRET) as server,
    ):
        await transfer(server, tmp_path, RELAY_ONLY)
        value = server.value
        assert value("nat_traversal_total", strategy="turn", status="success") == 1
        assert value("nat_traversal_total", strategy="turn", status="failed") == 0
        assert value("webrtc_connections_total", type="relay", status="success") == 1
        assert value("turn_relay_usage_total", forced="true") == 1
        assert value("transfers_total", status="success", method="relay") == 1
        assert value("transfers_total", status="success", method="p2p") == 0
        assert value("bytes_transferred_total", direction="received") == 2_000_000
    assert "Bad configuration format" not in turn.log.read_text()


@pytest.mark.proof
@pytest.mark.usefixtures("network")
async def test_another_secret_than_that_of_the_compose_file_is_counted(tmp_path: Path) -> None:
    async with (
        shipped_coturn(tmp_path, ADDRESS, TURN_SECRET=SHIPPED_SECRET) as turn,
        serving(tmp_path, ice_servers=turn.url, turn_secret="another secret of many characters") as server,
    ):
        await transfer(server, tmp_path, RELAY_ONLY)
        assert server.value("nat_traversal_total", strategy="turn", status="success") == 0
        assert server.value("nat_traversal_total", strategy="turn", status="failed") == 1
        assert server.value("turn_relay_usage_total", forced="true") == 0
        assert server.value("transfers_total", status="success", method="relay") == 1


@pytest.mark.proof
@pytest.mark.usefixtures("network")
async def test_without_a_secret_the_turn_server_of_the_compose_file_serves_nobody(tmp_path: Path) -> None:
    async with shipped_coturn(tmp_path, ADDRESS):
        with pytest.raises(stun.TransactionFailed) as refused:
            await allocation("someone", "something")
    assert refused.value.response.error_code == 401


@pytest.mark.proof
@pytest.mark.usefixtures("network")
async def test_the_turn_server_of_the_compose_file_relays_datagrams_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peers use datagrams. A relay of TCP connections would reach services beside the server (RFC 6062)."""
    [entry] = Turn(f"turn:{ADDRESS}", tmp_path).servers(SHIPPED_SECRET)
    user, password = entry["username"], entry["credential"]
    async with shipped_coturn(tmp_path, ADDRESS, TURN_SECRET=SHIPPED_SECRET):
        assert (await allocation(user, password))[0] == ADDRESS
        monkeypatch.setattr(aioice.turn, "UDP_TRANSPORT", TCP_TRANSPORT)
        with pytest.raises(stun.TransactionFailed) as refused:
            await allocation(user, password)
    assert refused.value.response.error_code == UNSUPPORTED_TRANSPORT


@pytest.mark.proof
@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(("host", "told"), [("192.0.2.7", "192.0.2.7"), ("localhost", "127.0.0.1")])
async def test_peers_are_told_the_address_of_the_host_that_ice_servers_names(
    tmp_path: Path, host: str, told: str
) -> None:
    [entry] = Turn(f"turn:{ADDRESS}", tmp_path).servers(SHIPPED_SECRET)
    variables = {"TURN_SECRET": SHIPPED_SECRET, "ICE_SERVERS": f"turn:{host}:3478"}
    async with shipped_coturn(tmp_path, ADDRESS, **variables):
        assert (await allocation(entry["username"], entry["credential"]))[0] == told


async def allocation(user: str, password: str) -> tuple[str, int]:
    """Ask the TURN server for a relay address, and give it back."""
    made, _ = await aioice.turn.create_turn_endpoint(
        asyncio.DatagramProtocol, (ADDRESS, 3478), user, password, transport="tcp"
    )
    address: tuple[str, int] = made.get_extra_info("sockname")
    made.close()
    return address


async def transfer(server: RunningServer, folder: Path, options: TransferOptions) -> None:
    """Transfer a file, and compare it."""
    path = folder / "clip.webm"
    path.write_bytes(os.urandom(2_000_000))
    sender = await send(server.url, [path], options=options)
    receiver = receive(sender.link, folder / "out", options=options)
    await asyncio.gather(sender.task, receiver.task)
    assert (folder / "out" / path.name).read_bytes() == path.read_bytes()


def reach_only(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Announce only candidates of one type, as NAT makes the others useless.

    A NAT of its own would need rights that an ordinary user does not have.
    """
    redact = ice.redact_addresses

    def announced(description: str) -> str:
        lines = redact(description).split("\r\n")
        return "\r\n".join(one for one in lines if "a=candidate" not in one or f" typ {kind}" in one)

    monkeypatch.setattr(ice, "redact_addresses", announced)
