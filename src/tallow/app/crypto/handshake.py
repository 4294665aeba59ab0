"""The handshake of one connection, as two small state machines: messages in, messages out, no I/O.

    sender                                receiver
    hello: keys, link proof        ->
                                   <-     reply: key, ciphertext, link proof
    confirm: session confirmation  ->
                                   <-     confirm: session confirmation

The link proofs tell a mistyped link from an attack; the session confirmations show that both sides have the
same keys and have seen the same messages. No data before.
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
from tallow.app.crypto.kdf import VERSION, link_proof, transcript_hash
from tallow.app.crypto.key_schedule import KeySchedule, Role, SessionKeys
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
    """Tells the other side, before there are keys, why this one gives up."""
    return bytes([ABORT, code])


class SenderHandshake:
    """The sender's side.

    Args:
        secret: the link's.
        room: the link's.
        descriptions: of the channel, as this side has seen them.
        metrics: where ML-KEM operations are recorded.
        exchange_key: the ephemeral X25519 key; fresh by default, given by tests alone.
        kem_key: the ephemeral ML-KEM-768 key (FIPS 203); likewise.
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
        self._secret = secret
        self._room = room
        self._descriptions = descriptions
        self._metrics = metrics
        self._exchange_key = exchange_key or X25519PrivateKey.generate()
        if kem_key is None:
            with _timed(metrics, "keygen"):
                kem_key = MLKEM768PrivateKey.generate()
        self._kem_key = kem_key
        self._public = [
            self._exchange_key.public_key().public_bytes_raw(),
            kem_key.public_key().public_bytes_raw(),
        ]
        self._schedule: KeySchedule | None = None

    def hello(self) -> bytes:
        """The first message."""
        return b"".join(
            [bytes([HELLO, VERSION]), *self._public, link_proof(self._secret, "sender", self._room)]
        )

    def handle_reply(self, message: bytes) -> bytes:
        """Take the receiver's reply: the message that confirms the keys.

        Raises:
            ProtocolError: MalformedError, VersionError, WrongSecretError or KeyExchangeError.
        """
        public, ciphertext, proof = _parse_fields(message, REPLY, (X25519_BYTES, CIPHERTEXT_BYTES, MAC_BYTES))
        _check_proof(proof, link_proof(self._secret, "receiver", self._room))
        with _timed(self._metrics, "decapsulate"):
            kem_secret = self._kem_key.decapsulate(ciphertext)
        shared = _x25519(self._exchange_key, public)
        transcript = transcript_hash(self._room, self._public, [public, ciphertext], self._descriptions)
        self._schedule = KeySchedule(shared + kem_secret + self._secret, transcript)
        return bytes([SENDER_CONFIRM]) + self._schedule.confirmation("sender")

    def handle_confirmation(self, message: bytes) -> SessionKeys:
        """Take the receiver's confirmation: the keys, good to use.

        Raises:
            ProtocolError: MalformedError or KeyExchangeError.
        """
        return _verify_confirmation(self._schedule, message, RECEIVER_CONFIRM, "sender")


class ReceiverHandshake:
    """The receiver's side; arguments as the sender's.

    Args:
        encapsulate: ML-KEM's, giving shared secret and ciphertext; another one in tests alone.
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
        self._secret = secret
        self._room = room
        self._descriptions = descriptions
        self._metrics = metrics
        self._exchange_key = exchange_key or X25519PrivateKey.generate()
        self._encapsulate = encapsulate or (lambda key: key.encapsulate())
        self._schedule: KeySchedule | None = None

    def handle_hello(self, message: bytes) -> bytes:
        """Take the sender's hello: the reply to it.

        Raises:
            ProtocolError: MalformedError, VersionError, WrongSecretError or KeyExchangeError.
        """
        sizes = (X25519_BYTES, ENCAPSULATION_KEY_BYTES, MAC_BYTES)
        public, encapsulation_key, proof = _parse_fields(message, HELLO, sizes)
        _check_proof(proof, link_proof(self._secret, "sender", self._room))
        try:
            with _timed(self._metrics, "encapsulate"):
                kem_secret, ciphertext = self._encapsulate(
                    MLKEM768PublicKey.from_public_bytes(encapsulation_key)
                )
        except ValueError:  # FIPS 203, section 7.2: the check of the key's modulus
            raise KeyExchangeError from None
        shared = _x25519(self._exchange_key, public)
        mine = [self._exchange_key.public_key().public_bytes_raw(), ciphertext]
        transcript = transcript_hash(self._room, [public, encapsulation_key], mine, self._descriptions)
        self._schedule = KeySchedule(shared + kem_secret + self._secret, transcript)
        proof = link_proof(self._secret, "receiver", self._room)
        return b"".join([bytes([REPLY, VERSION]), *mine, proof])

    def handle_confirmation(self, message: bytes) -> tuple[bytes, SessionKeys]:
        """Take the sender's confirmation: this side's, and the keys, good to use once it is sent.

        Raises:
            ProtocolError: MalformedError or KeyExchangeError.
        """
        session = _verify_confirmation(self._schedule, message, SENDER_CONFIRM, "receiver")
        assert self._schedule is not None
        return bytes([RECEIVER_CONFIRM]) + self._schedule.confirmation("receiver"), session


def _verify_confirmation(schedule: KeySchedule | None, message: bytes, kind: int, role: Role) -> SessionKeys:
    (confirmation,) = _parse_fields(message, kind, (MAC_BYTES,))
    if schedule is None:
        raise MalformedError("a confirmation came before the keys it confirms")
    if not hmac.compare_digest(
        confirmation, schedule.confirmation("receiver" if role == "sender" else "sender")
    ):
        raise KeyExchangeError
    return schedule.session_keys(role)


def _check_proof(given: bytes, wanted: bytes) -> None:
    if not hmac.compare_digest(given, wanted):
        raise WrongSecretError


def _x25519(mine: X25519PrivateKey, public: bytes) -> bytes:
    try:
        return mine.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # a point of small order (RFC 7748, section 6.1): no honest side sends one
        raise KeyExchangeError from None


def _parse_fields(message: bytes, kind: int, sizes: Sequence[int]) -> list[bytes]:
    """A message's fields of fixed sizes, after its kind and, in the first of each side, the version."""
    if len(message) == 2 and message[0] == ABORT:
        raise from_code(message[1])
    if not message or message[0] != kind:
        raise MalformedError("the handshake's messages came in another order, or are none")
    at = 1
    if kind in {HELLO, REPLY}:
        if message[1:2] != bytes([VERSION]):
            raise VersionError
        at = 2
    if len(message) != at + sum(sizes):
        raise MalformedError("a message of the handshake has a wrong length")
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
