"""Opens TCP connections to the other peer: each side listens, offers its addresses, and dials the other's."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tallow.app.channels.channel import ChannelError, SignalingExchange
from tallow.app.channels.tcp.addresses import (
    MAX_DIALLED,
    Endpoint,
    dialling_order,
    host_tag,
    local_addresses,
    parse_endpoints,
)
from tallow.app.channels.tcp.channel import TcpChannel
from tallow.app.channels.tcp.dialer import dial_all
from tallow.app.channels.tcp.listener import Listener, Proven
from tallow.app.channels.tcp.proof import NONCE_BYTES, ConnectionProof
from tallow.app.crypto.kdf import derive
from tallow.app.wire import Role, decode_base64url, encode_base64url

if TYPE_CHECKING:
    from tallow.app.channels.tcp.port_mapping.mapper import PortMapper

ACCEPT_S: Final = 5.0
"""Seconds for which the other side's dials are awaited after this side's own have ended."""
MAX_MAPPED: Final = 2
"""Addresses that are dialled after the offer: those that the other side's router has mapped."""


class TcpConnector:
    """Opens the TCP connections of one attempt.

    Both sides dial, and several connections may be proven. The sender uses the first one; the receiver the
    one on which the sender's first message arrives.

    Args:
        role: this side's role.
        secret: the link's secret.
        bind: the address to listen on and to dial from; None for all.
        loopback: use loopback addresses only, because the server is on this host.
        mapper: maps the port on the router; None: it is not mapped.
    """

    def __init__(
        self,
        role: Role,
        secret: bytes,
        *,
        bind: str | None = None,
        loopback: bool = False,
        mapper: PortMapper | None = None,
    ) -> None:
        self._role = role
        self._secret = secret
        self._bind = bind
        self._loopback = loopback
        self._mapper = mapper

    async def open(self, exchange: SignalingExchange, opened: Callable[[TcpChannel], None]) -> None:
        """Pass each proven connection to ``opened``, until cancelled or no more can come.

        Raises:
            ChannelError: no address can be listened on, the other side's offer is not valid, or no
                connection was proven.
            ChannelClosedError: signaling was lost, or the other side left or uses no TCP.
        """
        started = time.perf_counter()
        proven: list[asyncio.StreamWriter] = []
        accepted: list[asyncio.StreamWriter] = []

        def on_proven(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            proven.append(writer)
            opened(TcpChannel(reader, writer, time.perf_counter() - started))

        def on_accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.append(writer)
            on_proven(reader, writer)

        try:
            listener = Listener(self._bind, loopback=self._loopback, on_proven=on_accepted)
        except OSError:
            raise ChannelError("no connection: the address of --bind is not one of this machine") from None
        try:
            await self._connect(exchange, listener, on_proven)
        finally:
            listener.close()
            if self._mapper is not None:
                in_use = not all(writer.is_closing() for writer in accepted)
                self._mapper.end(connected=bool(proven), in_use=in_use)
        if not proven:
            raise ChannelError("no direct connection over TCP")

    async def _connect(self, exchange: SignalingExchange, listener: Listener, on_proven: Proven) -> None:
        mapping = self._start_mapping(listener)
        nonce = os.urandom(NONCE_BYTES)
        offer = self._offer(nonce, listener)
        if self._role == "sender":
            await exchange.send("offer", offer)
            theirs = await _receive(exchange, "answer")
        else:
            theirs = await _receive(exchange, "offer")
        their_nonce = _nonce(theirs)
        nonces = (nonce, their_nonce) if self._role == "sender" else (their_nonce, nonce)
        proof = ConnectionProof(self._secret, nonces, self._role)
        await listener.start(proof)
        if self._role == "receiver":
            await exchange.send("answer", offer)
        same_host = theirs.get("host") == offer["host"]

        async def dial(offered: object, limit: int = MAX_DIALLED) -> None:
            own, wanted = local_addresses(), parse_endpoints(offered)
            endpoints = dialling_order(wanted, own, same_host=same_host)[:limit]
            await dial_all(endpoints, proof, on_proven, self._bind)

        later = asyncio.create_task(_dial_mapped(exchange, dial), name="dial mapped port")
        try:
            await asyncio.gather(dial(theirs.get("addresses")), _announce(mapping, exchange))
            await asyncio.sleep(ACCEPT_S)
        finally:
            later.cancel()

    def _start_mapping(self, listener: Listener) -> asyncio.Task[Endpoint | None] | None:
        port = listener.ipv4_port
        return None if self._mapper is None or port is None else self._mapper.start(port)

    def _offer(self, nonce: bytes, listener: Listener) -> dict[str, object]:
        tag = host_tag(derive(self._secret, "host tag"))
        return {
            "nonce": encode_base64url(nonce),
            "host": encode_base64url(tag),
            "addresses": [[endpoint.text, endpoint.port] for endpoint in listener.endpoints],
        }


async def _announce(mapping: asyncio.Task[Endpoint | None] | None, exchange: SignalingExchange) -> None:
    """Offer the address that the router has mapped, once it has. Dials go on if signaling is lost."""
    endpoint = None if mapping is None else await asyncio.shield(mapping)  # the mapper ends it
    if endpoint is not None:
        with suppress(Exception):
            await exchange.send("candidate", {"addresses": [[endpoint.text, endpoint.port]]})


async def _dial_mapped(exchange: SignalingExchange, dial: Callable[[object, int], Awaitable[None]]) -> None:
    """Dial what the other side's router has mapped. Nothing comes once the attempt has failed."""
    with suppress(Exception):
        candidate = await _receive(exchange, "candidate")
        await dial(candidate.get("addresses"), MAX_MAPPED)


async def _receive(exchange: SignalingExchange, kind: str) -> dict[str, Any]:
    received, data = await exchange.receive()
    while received != kind:
        received, data = await exchange.receive()
    return data


def _nonce(offer: dict[str, Any]) -> bytes:
    try:
        nonce = decode_base64url(offer["nonce"])
    except (KeyError, TypeError, ValueError):
        nonce = b""
    if len(nonce) != NONCE_BYTES:
        raise ChannelError("no connection: the other side's offer is not valid")
    return nonce
