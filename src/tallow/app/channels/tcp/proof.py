"""The proof with which each end of a TCP connection shows that it has the link.

The dialling end sends first. The listening end sends nothing before it has verified the proof, so that a port
scanner does not learn what listens.
"""

from __future__ import annotations

import hmac
import os
from typing import Final

from tallow.app.crypto.kdf import derive, encode_fields
from tallow.app.wire import Role

NONCE_BYTES: Final = 32
MAC_BYTES: Final = 32
PROOF_BYTES: Final = NONCE_BYTES + MAC_BYTES
"""Bytes that the dialling end sends."""


class ConnectionProof:
    """The proofs of one connection attempt.

    Args:
        secret: the link's secret.
        nonces: the random nonces of sender and receiver, which crossed signaling sealed. With them a proof of
            an earlier attempt is not accepted.
        role: this side's role.
    """

    def __init__(self, secret: bytes, nonces: tuple[bytes, bytes], role: Role) -> None:
        self._key = derive(secret, "connection proof", salt=nonces[0] + nonces[1])
        self._role = role
        self._other: Role = "receiver" if role == "sender" else "sender"
        self._seen: set[bytes] = set()

    def dial(self, nonce: bytes | None = None) -> bytes:
        """The first bytes of the dialling end: a nonce and its MAC.

        Args:
            nonce: a random one by default. Only tests pass one.
        """
        nonce = nonce or os.urandom(NONCE_BYTES)
        return nonce + self._mac("dial", self._role, nonce)

    def answer(self, dialled: bytes) -> bytes | None:
        """The bytes with which the listening end answers; None if it was not the other peer that dialled.

        A repeated proof is refused: somebody on the way may have recorded it.
        """
        nonce, mac = dialled[:NONCE_BYTES], dialled[NONCE_BYTES:]
        if nonce in self._seen or not hmac.compare_digest(mac, self._mac("dial", self._other, nonce)):
            return None
        self._seen.add(nonce)
        return self._mac("answer", self._role, nonce)

    def is_answer(self, dialled: bytes, answer: bytes) -> bool:
        """Whether the other peer sent the answer to what this side dialled."""
        return hmac.compare_digest(answer, self._mac("answer", self._other, dialled[:NONCE_BYTES]))

    def _mac(self, purpose: str, role: Role, nonce: bytes) -> bytes:
        return hmac.digest(self._key, encode_fields([purpose.encode(), role.encode(), nonce]), "sha256")
