"""The handshake: two sides with the same link derive the same keys; everything else fails."""

from __future__ import annotations

import os

import pytest

from tallow.app.crypto.errors import (
    KeyExchangeError,
    MalformedError,
    ProtocolError,
    VersionError,
    WrongSecretError,
)
from tallow.app.crypto.handshake import ReceiverHandshake, SenderHandshake, abort_message
from tallow.app.crypto.key_schedule import SessionKeys
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

ROOM = "a" * 16
SECRET = bytes(range(16))


class HandshakePair:
    """Two sides; messages between them can be changed."""

    def __init__(self, *, secret: bytes = SECRET, room: str = ROOM, seen: tuple[bytes, ...] = ()) -> None:
        self.metrics = Metrics(Registry())
        self.sender = SenderHandshake(SECRET, ROOM, (), self.metrics)
        self.receiver = ReceiverHandshake(secret, room, seen, self.metrics)

    def run(self, **flip: int) -> tuple[SessionKeys, SessionKeys]:
        """Both sides' keys; ``flip`` names a message and the byte to change."""
        hello = flipped(self.sender.hello(), flip.get("hello"))
        reply = flipped(self.receiver.handle_hello(hello), flip.get("reply"))
        mine = flipped(self.sender.handle_reply(reply), flip.get("sender_confirm"))
        theirs, receiver = self.receiver.handle_confirmation(mine)
        return self.sender.handle_confirmation(flipped(theirs, flip.get("receiver_confirm"))), receiver


def flipped(message: bytes, at: int | None) -> bytes:
    if at is None:
        return message
    changed = bytearray(message)
    changed[at] ^= 1
    return bytes(changed)


def test_both_sides_derive_the_same_key_per_direction() -> None:
    sender, receiver = HandshakePair().run()
    assert sender.send_key == receiver.receive_key
    assert sender.receive_key == receiver.send_key
    assert sender.send_key != sender.receive_key
    assert sender.transfer_id == receiver.transfer_id


def test_every_connection_has_fresh_keys() -> None:
    assert HandshakePair().run()[0].send_key != HandshakePair().run()[0].send_key


def test_operations_are_recorded() -> None:
    pair = HandshakePair()
    pair.run()
    for operation in ("keygen", "encapsulate", "decapsulate"):
        labels = {"operation": operation, "status": "success"}
        assert pair.metrics.registry.value("pqc_operations_total", **labels) == 1
        assert pair.metrics.registry.value("pqc_duration_seconds_count", operation=operation) == 1


def test_a_wrong_secret_is_reported() -> None:
    with pytest.raises(WrongSecretError, match="secret of the link is wrong"):
        HandshakePair(secret=os.urandom(16)).run()


def test_a_link_proof_of_another_room_is_refused() -> None:
    with pytest.raises(WrongSecretError):
        HandshakePair(room="b" * 16).run()


@pytest.mark.parametrize(
    ("message", "at"),
    [
        ("hello", 2),  # X25519 key
        ("hello", 34 + 1151),  # ML-KEM encapsulation key, its seed rho
        ("reply", 3),
        ("reply", 34),  # ML-KEM ciphertext: rejected implicitly
        ("reply", 34 + 1087),
        ("sender_confirm", 1),
        ("receiver_confirm", 32),
    ],
)
def test_a_changed_message_is_a_failed_key_exchange(message: str, at: int) -> None:
    with pytest.raises(KeyExchangeError, match="key exchange failed"):
        HandshakePair().run(**{message: at})


def test_a_replaced_session_description_is_a_failed_key_exchange() -> None:
    with pytest.raises(KeyExchangeError):
        HandshakePair(seen=(b"a=another fingerprint",)).run()


def test_a_reflected_link_proof_is_refused() -> None:
    pair = HandshakePair()
    hello = pair.sender.hello()
    reply = pair.receiver.handle_hello(hello)
    with pytest.raises(WrongSecretError):
        pair.sender.handle_reply(reply[:-32] + hello[-32:])


def test_a_public_key_of_small_order_is_refused() -> None:
    hello = HandshakePair().sender.hello()
    with pytest.raises(KeyExchangeError):
        HandshakePair().receiver.handle_hello(hello[:2] + bytes(32) + hello[34:])


def test_an_encapsulation_key_outside_its_modulus_is_refused() -> None:
    hello = HandshakePair().sender.hello()
    pair = HandshakePair()
    with pytest.raises(KeyExchangeError):
        pair.receiver.handle_hello(hello[:34] + b"\xff" * 1184 + hello[34 + 1184 :])
    failed = {"operation": "encapsulate", "status": "failed"}
    assert pair.metrics.registry.value("pqc_operations_total", **failed) == 1


def test_another_protocol_version_is_reported() -> None:
    with pytest.raises(VersionError, match="another version"):
        HandshakePair().run(hello=1)


@pytest.mark.parametrize("message", [b"", b"\x01\x02", b"\x63" * 1250, b"\x01\x02" + bytes(1247)])
def test_a_malformed_hello_is_refused(message: bytes) -> None:
    with pytest.raises(MalformedError):
        HandshakePair().receiver.handle_hello(message)


def test_a_confirmation_before_the_keys_is_refused() -> None:
    with pytest.raises(MalformedError):
        HandshakePair().receiver.handle_confirmation(b"\x03" + bytes(32))


def test_an_abort_message_becomes_its_error() -> None:
    with pytest.raises(ProtocolError, match="aborted: the secret of the link is wrong"):
        HandshakePair().sender.handle_reply(abort_message(WrongSecretError.code))


def test_sessions_do_not_print_their_keys() -> None:
    session, _ = HandshakePair().run()
    assert repr(session) == "SessionKeys(role='sender')"
