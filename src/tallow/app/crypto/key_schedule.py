"""The keys of one connection, derived at the end of the handshake."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from tallow.app.crypto.kdf import derive
from tallow.app.wire import Role


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """Keys of one connection. They are never used for another.

    Attributes:
        role: this side's role.
        transfer_id: 16 bytes in the associated data of every frame.
        send_key: AES-256 key for frames that this side encrypts.
        receive_key: AES-256 key for frames that the other side encrypts.
    """

    role: Role
    transfer_id: bytes
    send_key: bytes
    receive_key: bytes

    def __repr__(self) -> str:
        return f"SessionKeys(role={self.role!r})"


@dataclass(frozen=True, slots=True, repr=False)
class KeySchedule:
    """Derives all keys of one connection from both shared secrets and the link's secret.

    The salt is the transcript hash: if any message was changed, the two sides derive unrelated keys.
    """

    material: bytes
    transcript: bytes

    def confirmation(self, role: Role) -> bytes:
        """A side's key confirmation: HMAC-SHA256 over the transcript hash, with one key per direction."""
        return hmac.digest(self._key(f"{role} confirmation"), self.transcript, "sha256")

    def session_keys(self, role: Role) -> SessionKeys:
        """The keys as one role uses them."""
        own, other = self._key("sender data"), self._key("receiver data")
        if role == "receiver":
            own, other = other, own
        return SessionKeys(role, self._key("transfer", 16), own, other)

    def _key(self, label: str, length: int = 32) -> bytes:
        return derive(self.material, label, length, self.transcript)
