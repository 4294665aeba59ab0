"""Key derivation: HKDF-SHA256 (RFC 5869) with one label a purpose, and the hash of a transcript."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION: Final = 1
PREFIX: Final = b"tallow/1 "
SECRET_BYTES: Final = 16
KEY_BYTES: Final = 32


def derive(material: bytes, label: str, length: int = KEY_BYTES, salt: bytes = b"") -> bytes:
    """``length`` bytes from secret material, for one purpose. The ``info`` is ``tallow/1 `` and the label."""
    return HKDF(SHA256(), length, salt or None, PREFIX + label.encode("ascii")).derive(material)


def join_token(secret: bytes) -> bytes:
    """What opens a room at the server, which keeps its SHA-256 alone."""
    return derive(secret, "join token")


def link_proof(secret: bytes, role: str, room: str) -> bytes:
    """What shows that a side holds the link: HMAC-SHA256 under a key from the secret alone.

    It covers no key on purpose. Were a changed public key to break it, tampering could not be told from a
    mistyped link; what protects the keys is the confirmation under the session's own.
    """
    key = derive(secret, "link confirmation")
    return hmac.digest(key, encode_fields([bytes([VERSION]), role.encode(), room.encode()]), "sha256")


def resume_key(secret: bytes) -> bytes:
    """Names the partial files of one link on a receiver's disk."""
    return derive(secret, "resume", 16)


def encode_fields(fields: Sequence[bytes]) -> bytes:
    """Fields as one string that no other fields give: each after its length in 4 bytes."""
    return b"".join(len(field).to_bytes(4) + field for field in fields)


def transcript_hash(
    room: str, sender: Sequence[bytes], receiver: Sequence[bytes], descriptions: Sequence[bytes]
) -> bytes:
    """SHA-256 over all that both sides must have seen alike.

    Args:
        sender: its X25519 public key and ML-KEM encapsulation key.
        receiver: its X25519 public key and ML-KEM ciphertext.
        descriptions: see :class:`tallow.app.channels.channel.Channel`.
    """
    fields = [
        PREFIX + b"transcript",
        bytes([VERSION]),
        room.encode(),
        b"sender",
        *sender,
        b"receiver",
        *receiver,
        len(descriptions).to_bytes(4),
        *descriptions,
    ]
    return hashlib.sha256(encode_fields(fields)).digest()
