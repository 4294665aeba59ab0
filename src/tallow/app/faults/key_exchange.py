"""Faults of the key exchange: slow or failing ML-KEM operations, and corrupted ciphertexts."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from tallow.app.channels.channel import Channel
from tallow.app.crypto import handshake
from tallow.app.crypto.errors import KeyExchangeError
from tallow.app.crypto.key_schedule import SessionKeys
from tallow.app.peer.connection import secure_channel
from tallow.app.peer.link import Link
from tallow.monitoring.metrics import Metrics


def patches(wanted: Mapping[str, float]) -> list[tuple[Any, str, Any]]:
    """The replacements, as (owner, attribute, replacement)."""
    if not wanted.keys() & {"delay_keys", "fail_keys", "break_confirmation"}:
        return []
    faulty = FaultyMlKem(
        wanted.get("delay_keys", 0), wanted.get("fail_keys", 0), wanted.get("break_confirmation", 0)
    )
    return [
        (handshake, "MLKEM768PrivateKey", faulty),
        (handshake, "MLKEM768PublicKey", faulty),
        # In threads: a delay must not block the event loop.
        (secure_channel, "_run_sender", _run_sender),
        (secure_channel, "_run_receiver", _run_receiver),
    ]


class FaultyMlKem:
    """Stands in for both ML-KEM key classes, as far as the handshake uses them."""

    def __init__(self, delay_s: float, failing: float, broken: float) -> None:
        self._delay_s = delay_s
        self._failing = failing
        self._broken = broken

    def generate(self) -> FaultyPrivateKey:
        """A private key whose operations have the faults."""
        self.inject()
        return FaultyPrivateKey(MLKEM768PrivateKey.generate(), self)

    def from_public_bytes(self, data: bytes) -> FaultyPublicKey:
        """The other side's public key, likewise."""
        return FaultyPublicKey(MLKEM768PublicKey.from_public_bytes(data), self)

    def inject(self) -> None:
        """Delay or fail an operation."""
        time.sleep(self._delay_s)
        if random.random() < self._failing:  # noqa: S311 - no secret
            raise KeyExchangeError

    def corrupt(self, ciphertext: bytes) -> bytes:
        """Corrupt a ciphertext. ML-KEM rejects it implicitly: only the key confirmation fails."""
        broken = random.random() < self._broken  # noqa: S311 - no secret
        return bytes([ciphertext[0] ^ 1]) + ciphertext[1:] if broken else ciphertext


class FaultyPrivateKey:
    """A private key with faults."""

    def __init__(self, key: MLKEM768PrivateKey, faults: FaultyMlKem) -> None:
        self._key = key
        self._faults = faults

    def public_key(self) -> MLKEM768PublicKey:
        """The real public key."""
        return self._key.public_key()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """As the real method, with faults."""
        self._faults.inject()
        return self._key.decapsulate(ciphertext)


class FaultyPublicKey:
    """A public key with faults."""

    def __init__(self, key: MLKEM768PublicKey, faults: FaultyMlKem) -> None:
        self._key = key
        self._faults = faults

    def encapsulate(self) -> tuple[bytes, bytes]:
        """As the real method, with faults."""
        self._faults.inject()
        secret, ciphertext = self._key.encapsulate()
        return secret, self._faults.corrupt(ciphertext)


async def _run_sender(channel: Channel, link: Link, metrics: Metrics) -> SessionKeys:
    real, descriptions = handshake.SenderHandshake, channel.descriptions
    exchange = await asyncio.to_thread(real, link.secret, link.room, descriptions, metrics)
    await channel.send(exchange.hello())
    await channel.send(await asyncio.to_thread(exchange.handle_reply, await channel.receive()))
    return exchange.handle_confirmation(await channel.receive())


async def _run_receiver(channel: Channel, link: Link, metrics: Metrics) -> SessionKeys:
    exchange = handshake.ReceiverHandshake(link.secret, link.room, channel.descriptions, metrics)
    await channel.send(await asyncio.to_thread(exchange.handle_hello, await channel.receive()))
    confirmation, session = exchange.handle_confirmation(await channel.receive())
    await channel.send(confirmation)
    return session
