"""What a finished handshake leaves: the keys of one connection."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Literal

from tallow.app.crypto.kdf import derive

Role = Literal["sender", "receiver"]


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """Keys of one connection, never used for another.

    Attributes:
        role: this side's.
        transfer: 16 bytes that name the connection in the associated data of every frame.
        send_key: AES-256 key of what this side encrypts.
        receive_key: AES-256 key of what the other side encrypts.
    """

    role: Role
    transfer_id: bytes
    send_key: bytes
    receive_key: bytes

    def __repr__(self) -> str:
        return f"Session(role={self.role!r})"


@dataclass(frozen=True, slots=True, repr=False)
class KeySchedule:
    """All keys of one connection, from both shared secrets and the link's secret.

    The salt is the transcript's hash: with any message changed, the two sides' keys have nothing in common.
    """

    material: bytes
    transcript: bytes

    def confirmation(self, role: Role) -> bytes:
        """What shows that a side has the keys: HMAC-SHA256 over the transcript, one key a direction."""
        return hmac.digest(self._key(f"{role} confirmation"), self.transcript, "sha256")

    def session_keys(self, role: Role) -> SessionKeys:
        """The keys, as one side uses them."""
        mine, theirs = self._key("sender data"), self._key("receiver data")
        if role == "receiver":
            mine, theirs = theirs, mine
        return SessionKeys(role, self._key("transfer", 16), mine, theirs)

    def _key(self, label: str, length: int = 32) -> bytes:
        return derive(self.material, label, length, self.transcript)
