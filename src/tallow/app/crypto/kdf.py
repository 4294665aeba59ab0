"""Key derivation with HKDF-SHA256 (RFC 5869), and the hash of the transcript."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tallow.app.wire import PROTOCOL_VERSION

PREFIX: Final = b"tallow/2 "
SECRET_BYTES: Final = 16
KEY_BYTES: Final = 32


def derive(material: bytes, label: str, length: int = KEY_BYTES, salt: bytes = b"") -> bytes:
    """Derive ``length`` bytes for one purpose. The HKDF ``info`` is ``tallow/2 `` and the label."""
    return HKDF(SHA256(), length, salt or None, PREFIX + label.encode("ascii")).derive(material)


def join_token(secret: bytes) -> bytes:
    """The token that admits a peer to a room. The server stores only its SHA-256."""
    return derive(secret, "join token")


def link_proof(secret: bytes, role: str, room: str) -> bytes:
    """Prove that a side has the link: HMAC-SHA256 under a key derived from the secret alone.

    It does not cover the public keys, on purpose: otherwise a changed key would look like a mistyped
    link. The key confirmation protects the keys.
    """
    key = derive(secret, "link confirmation")
    return hmac.digest(
        key, encode_fields([bytes([PROTOCOL_VERSION]), role.encode(), room.encode()]), "sha256"
    )


def resume_key(secret: bytes, room: str) -> bytes:
    """The key that names the partial files of one transfer on the receiver's disk.

    Args:
        room: of the transfer: several receivers of one link may use one folder.
    """
    return derive(secret, "resume", 16, room.encode())


def encode_fields(fields: Sequence[bytes]) -> bytes:
    """Concatenate fields unambiguously: a length of 4 bytes precedes each."""
    return b"".join(len(field).to_bytes(4) + field for field in fields)


def transcript_hash(
    room: str, sender: Sequence[bytes], receiver: Sequence[bytes], descriptions: Sequence[bytes]
) -> bytes:
    """SHA-256 of everything that both sides must have seen alike.

    Args:
        sender: the sender's X25519 public key and ML-KEM encapsulation key.
        receiver: the receiver's X25519 public key and ML-KEM ciphertext.
        descriptions: session descriptions, see :class:`tallow.app.channels.channel.Channel`.
    """
    fields = [
        PREFIX + b"transcript",
        bytes([PROTOCOL_VERSION]),
        room.encode(),
        b"sender",
        *sender,
        b"receiver",
        *receiver,
        len(descriptions).to_bytes(4),
        *descriptions,
    ]
    return hashlib.sha256(encode_fields(fields)).digest()
