"""Signals between the peers, encrypted so that the server carries them and cannot read or change them."""

from __future__ import annotations

import os
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tallow.app.crypto.kdf import derive, encode_fields
from tallow.app.wire import PROTOCOL_VERSION, Role, decode_base64url, encode_base64url

NONCE_BYTES: Final = 12


class SignalSealer:
    """Seals what one side sends and opens what the other side sends.

    Each role has a key of its own, derived from the link's secret: a server that returns a signal to its
    sender is detected. Nonces are random (NIST SP 800-38D, section 8.2.2), because a peer that joins again
    does not know how many it has used; the number of signals of a link is far below the limit of 2^32.

    Args:
        secret: the link's secret.
        role: this side's role.
    """

    def __init__(self, secret: bytes, role: Role) -> None:
        other: Role = "receiver" if role == "sender" else "sender"
        self._own = AESGCM(derive(secret, f"{role} signals"))
        self._others = AESGCM(derive(secret, f"{other} signals"))

    def seal(
        self, kind: str, attempt: str, channel: str, data: dict[str, object], *, nonce: bytes | None = None
    ) -> str:
        """Encrypt the data of a signal.

        Args:
            kind: offer, answer or candidate.
            attempt: name of the connection attempt.
            channel: type of the channel.
            nonce: a random one by default. Only tests pass one.

        Returns:
            Nonce, ciphertext and tag in base64url.
        """
        nonce = nonce or os.urandom(NONCE_BYTES)
        sealed = self._own.encrypt(nonce, orjson.dumps(data), _context(kind, attempt, channel))
        return encode_base64url(nonce + sealed)

    def open(self, kind: str, attempt: str, channel: str, sealed: str) -> dict[str, Any] | None:
        """Decrypt the data of the other side's signal.

        Returns:
            The data; None if the other side did not send it with this kind, attempt and channel.
        """
        try:
            raw = decode_base64url(sealed)
            opened = self._others.decrypt(
                raw[:NONCE_BYTES], raw[NONCE_BYTES:], _context(kind, attempt, channel)
            )
            data = orjson.loads(opened)
        except (InvalidTag, ValueError):
            return None
        return data if isinstance(data, dict) else None


def _context(*fields: str) -> bytes:
    """The associated data: a signal is not accepted in another place than its own."""
    return encode_fields([bytes([PROTOCOL_VERSION]), *(field.encode() for field in fields)])
