"""The handshake of one connection, as two state machines without I/O.

::

    sender                                receiver
    hello: keys, link proof        ->
                                   <-     reply: key, ciphertext, link proof
    confirm: key confirmation      ->
                                   <-     confirm: key confirmation

A wrong link proof means a mistyped link. A wrong key confirmation means that a message was changed. No data
is sent before both confirmations.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tallow.app.crypto.errors import (
    KeyExchangeError,
    MalformedError,
    VersionError,
    WrongSecretError,
    from_code,
)
from tallow.app.crypto.kdf import link_proof, transcript_hash
from tallow.app.crypto.key_schedule import KeySchedule, SessionKeys
from tallow.app.wire import PROTOCOL_VERSION, Role
from tallow.monitoring.metrics import Metrics

HELLO: Final = 1
REPLY: Final = 2
SENDER_CONFIRM: Final = 3
RECEIVER_CONFIRM: Final = 4
ABORT: Final = 15

X25519_BYTES: Final = 32
ENCAPSULATION_KEY_BYTES: Final = 1184
CIPHERTEXT_BYTES: Final = 1088
MAC_BYTES: Final = 32

Encapsulate = Callable[[MLKEM768PublicKey], tuple[bytes, bytes]]


def abort_message(code: int) -> bytes:
    """The message that ends the handshake with an abort code."""
    return bytes([ABORT, code])


class _Handshake:
    """State that both roles share.

    Args:
        secret: the link's secret.
        room: the link's room id.
        descriptions: the channel's session descriptions, as this side saw them.
        metrics: counts the ML-KEM operations.
        exchange_key: ephemeral X25519 key; a fresh one by default. Only tests pass one.
    """

    def __init__(
        self,
        secret: bytes,
        room: str,
        descriptions: Sequence[bytes],
        metrics: Metrics,
        *,
        exchange_key: X25519PrivateKey | None = None,
    ) -> None:
        self._secret = secret
        self._room = room
        self._descriptions = descriptions
        self._metrics = metrics
        self._exchange_key = exchange_key or X25519PrivateKey.generate()
        self._public_key = self._exchange_key.public_key().public_bytes_raw()
        self._schedule: KeySchedule | None = None

    def _proof(self, role: Role) -> bytes:
        return link_proof(self._secret, role, self._room)

    def _exchange(self, public: bytes) -> bytes:
        try:
            return self._exchange_key.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:  # a point of small order (RFC 7748, section 6.1): no correct peer sends one
            raise KeyExchangeError from None

    def _derive_keys(self, shared: bytes, sender: Sequence[bytes], receiver: Sequence[bytes]) -> KeySchedule:
        transcript = transcript_hash(self._room, sender, receiver, self._descriptions)
        self._schedule = KeySchedule(shared + self._secret, transcript)
        return self._schedule

    def _verify(self, message: bytes, message_type: int, signer: Role) -> KeySchedule:
        """Check the other side's key confirmation."""
        (confirmation,) = _parse_fields(message, message_type, (MAC_BYTES,))
        if self._schedule is None:
            raise MalformedError("a key confirmation came before the keys")
        if not hmac.compare_digest(confirmation, self._schedule.confirmation(signer)):
            raise KeyExchangeError
        return self._schedule


class SenderHandshake(_Handshake):
    """The sender's side; arguments as :class:`_Handshake`.

    Args:
        kem_key: ephemeral ML-KEM-768 key (FIPS 203); a fresh one by default. Only tests pass one.
    """

    def __init__(
        self,
        secret: bytes,
        room: str,
        descriptions: Sequence[bytes],
        metrics: Metrics,
        *,
        exchange_key: X25519PrivateKey | None = None,
        kem_key: MLKEM768PrivateKey | None = None,
    ) -> None:
        super().__init__(secret, room, descriptions, metrics, exchange_key=exchange_key)
        if kem_key is None:
            with _timed(metrics, "keygen"):
                kem_key = MLKEM768PrivateKey.generate()
        self._kem_key = kem_key
        self._public = [self._public_key, kem_key.public_key().public_bytes_raw()]

    def hello(self) -> bytes:
        """The first message."""
        return b"".join([bytes([HELLO, PROTOCOL_VERSION]), *self._public, self._proof("sender")])

    def handle_reply(self, message: bytes) -> bytes:
        """Derive the keys from the receiver's reply.

        Returns:
            The message that confirms the keys.

        Raises:
            ProtocolError: MalformedError, VersionError, WrongSecretError or KeyExchangeError.
        """
        public, ciphertext, proof = _parse_fields(message, REPLY, (X25519_BYTES, CIPHERTEXT_BYTES, MAC_BYTES))
        _check_proof(proof, self._proof("receiver"))
        with _timed(self._metrics, "decapsulate"):
            kem_secret = self._kem_key.decapsulate(ciphertext)
        shared = self._exchange(public) + kem_secret
        schedule = self._derive_keys(shared, self._public, [public, ciphertext])
        return bytes([SENDER_CONFIRM]) + schedule.confirmation("sender")

    def handle_confirmation(self, message: bytes) -> SessionKeys:
        """Verify the receiver's key confirmation.

        Returns:
            The confirmed keys.

        Raises:
            ProtocolError: MalformedError or KeyExchangeError.
        """
        return self._verify(message, RECEIVER_CONFIRM, "receiver").session_keys("sender")


class ReceiverHandshake(_Handshake):
    """The receiver's side; arguments as :class:`_Handshake`.

    Args:
        encapsulate: ML-KEM's encapsulation; returns shared secret and ciphertext. Only tests pass one.
    """

    def __init__(
        self,
        secret: bytes,
        room: str,
        descriptions: Sequence[bytes],
        metrics: Metrics,
        *,
        exchange_key: X25519PrivateKey | None = None,
        encapsulate: Encapsulate | None = None,
    ) -> None:
        super().__init__(secret, room, descriptions, metrics, exchange_key=exchange_key)
        self._encapsulate = encapsulate or (lambda key: key.encapsulate())

    def handle_hello(self, message: bytes) -> bytes:
        """Derive the keys from the sender's hello.

        Returns:
            The reply to it.

        Raises:
            ProtocolError: MalformedError, VersionError, WrongSecretError or KeyExchangeError.
        """
        sizes = (X25519_BYTES, ENCAPSULATION_KEY_BYTES, MAC_BYTES)
        public, encapsulation_key, proof = _parse_fields(message, HELLO, sizes)
        _check_proof(proof, self._proof("sender"))
        try:
            with _timed(self._metrics, "encapsulate"):
                kem_secret, ciphertext = self._encapsulate(
                    MLKEM768PublicKey.from_public_bytes(encapsulation_key)
                )
        except ValueError:  # FIPS 203, section 7.2: the modulus check of the encapsulation key
            raise KeyExchangeError from None
        own = [self._public_key, ciphertext]
        self._derive_keys(self._exchange(public) + kem_secret, [public, encapsulation_key], own)
        return b"".join([bytes([REPLY, PROTOCOL_VERSION]), *own, self._proof("receiver")])

    def handle_confirmation(self, message: bytes) -> tuple[bytes, SessionKeys]:
        """Verify the sender's key confirmation.

        Returns:
            This side's confirmation, and the keys. They may be used once the confirmation is sent.

        Raises:
            ProtocolError: MalformedError or KeyExchangeError.
        """
        schedule = self._verify(message, SENDER_CONFIRM, "sender")
        confirmation = bytes([RECEIVER_CONFIRM]) + schedule.confirmation("receiver")
        return confirmation, schedule.session_keys("receiver")


def _check_proof(given: bytes, wanted: bytes) -> None:
    if not hmac.compare_digest(given, wanted):
        raise WrongSecretError


def _parse_fields(message: bytes, message_type: int, sizes: Sequence[int]) -> list[bytes]:
    """The fields of a message. Their sizes are fixed; hello and reply start with the protocol version."""
    if len(message) == 2 and message[0] == ABORT:
        raise from_code(message[1], authenticated=False)
    if not message or message[0] != message_type:
        raise MalformedError("a handshake message is out of order or has an unknown type")
    at = 1
    if message_type in {HELLO, REPLY}:
        if message[1:2] != bytes([PROTOCOL_VERSION]):
            raise VersionError
        at = 2
    if len(message) != at + sum(sizes):
        raise MalformedError("a handshake message has a wrong length")
    fields = []
    for size in sizes:
        fields.append(message[at : at + size])
        at += size
    return fields


@contextmanager
def _timed(metrics: Metrics, operation: str) -> Iterator[None]:
    status, start = "failed", time.perf_counter()
    try:
        yield
        status = "success"
    finally:
        metrics.record_pqc_operation(operation, status, time.perf_counter() - start)
