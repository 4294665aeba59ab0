"""Mapped ports in the signals of a TCP connection: offered once they are there, and dialled."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address
from typing import Any

import pytest

from support.transfers.webrtc import InMemorySignaling, signaling_pair
from tallow.app.channels.channel import ChannelError
from tallow.app.channels.tcp import connect
from tallow.app.channels.tcp.addresses import Endpoint
from tallow.app.channels.tcp.connect import MAX_MAPPED, TcpConnector
from tallow.app.channels.tcp.listener import Listener

SECRET = bytes(range(16))
MAPPED = Endpoint(IPv4Address("9.9.9.9"), 4242)


class LateMapper:
    """A mapper whose router answers when the test says so; the real one is tested with a router."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[Endpoint | None] = asyncio.get_running_loop().create_future()
        self.ports: list[int] = []
        self.ends: list[dict[str, bool]] = []

    def start(self, port: int) -> asyncio.Task[Endpoint | None]:
        self.ports.append(port)
        return asyncio.create_task(self._answer())

    async def _answer(self) -> Endpoint | None:
        return await self.answered

    def end(self, **how: bool) -> None:
        self.ends.append(how)


def opening(role: Any, signaling: InMemorySignaling, mapper: Any = None) -> asyncio.Future[None]:
    connector = TcpConnector(role, SECRET, loopback=True, mapper=mapper)
    return asyncio.ensure_future(connector.open(signaling, lambda _channel: None))


@pytest.mark.parametrize("role", ["sender", "receiver"])
async def test_the_mapped_address_follows_the_offer_once_the_router_has_answered(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listener, "ipv4_port", 4711)
    monkeypatch.setattr(connect, "ACCEPT_S", 0.1)
    own, others = signaling_pair()
    mapper = LateMapper()
    opened = opening(role, own, mapper)
    if role == "receiver":
        await others.send("offer", {"nonce": "A" * 43, "addresses": []})
    kind, first = await others.receive()
    if role == "sender":
        await others.send("answer", {"nonce": "A" * 43, "addresses": []})
    assert kind == ("offer" if role == "sender" else "answer")
    assert MAPPED.text not in str(first)
    await asyncio.sleep(0.2)
    assert not opened.done()  # the port stays open for what the router may still map
    mapper.answered.set_result(MAPPED)
    assert await others.receive() == ("candidate", {"addresses": [[MAPPED.text, MAPPED.port]]})
    with pytest.raises(ChannelError):
        await opened
    assert mapper.ports == [4711]
    assert mapper.ends == [{"connected": False, "in_use": False}]


async def test_a_port_on_loopback_is_not_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "ACCEPT_S", 0.0)
    own, others = signaling_pair()
    mapper = LateMapper()
    opened = opening("receiver", own, mapper)
    await others.send("offer", {"nonce": "A" * 43, "addresses": []})
    with pytest.raises(ChannelError):
        await opened
    assert mapper.ports == []


@pytest.mark.parametrize(
    ("addresses", "dialled"),
    [
        ([["9.9.9.9", 4242]], ["9.9.9.9"]),
        ([[f"9.9.9.{number}", 4242] for number in range(1, 40)], MAX_MAPPED),
        ([["127.0.0.1", 22], ["169.254.169.254", 80], ["224.0.0.1", 1], ["0.0.0.0", 1]], []),
        ("9.9.9.9", []),
        (None, []),
    ],
)
async def test_few_later_addresses_are_dialled_and_none_that_an_offer_must_not_name(
    addresses: object, dialled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "ACCEPT_S", 0.1)
    found: list[str] = []

    async def dial_all(endpoints: list[Endpoint], *_more: object) -> None:
        found.extend(endpoint.text for endpoint in endpoints)

    monkeypatch.setattr(connect, "dial_all", dial_all)
    own, others = signaling_pair()
    opened = opening("receiver", own)
    await others.send("offer", {"nonce": "A" * 43, "host": "of another machine", "addresses": []})
    await others.send("candidate", {"addresses": addresses})
    await others.send("candidate", {"addresses": [["9.9.9.200", 1]]})
    with pytest.raises(ChannelError):
        await opened
    assert found == dialled or len(found) == dialled
    assert "9.9.9.200" not in found


async def test_the_attempt_goes_on_if_signaling_is_lost_before_the_router_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Listener, "ipv4_port", 4711)
    monkeypatch.setattr(connect, "ACCEPT_S", 0.05)
    own, others = signaling_pair()
    mapper = LateMapper()
    mapper.answered.set_result(MAPPED)
    send = own.send

    async def lost(kind: Any, data: dict[str, object]) -> None:
        if kind == "candidate":
            raise ConnectionError("the server is gone")
        await send(kind, data)

    monkeypatch.setattr(own, "send", lost)
    opened = opening("receiver", own, mapper)
    await others.send("offer", {"nonce": "A" * 43, "addresses": []})
    with pytest.raises(ChannelError, match="no direct connection"):
        await opened
