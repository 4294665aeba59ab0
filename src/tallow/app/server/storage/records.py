"""What the database holds of a room."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallow.monitoring import correlation

OPEN: Final = "open"
STARTED: Final = "started"
STOPPED: Final = "stopped"
"""Cancelled by a peer that may come back."""


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """What the database holds of a room: nothing that identifies a person or a file.

    Attributes:
        token_hash: SHA-256 of the join token, hexadecimal.
        created: seconds since the Unix epoch.
        expires: seconds since the Unix epoch.
        state: open, started, the recorded outcome (success, failed, cancelled), or stopped.
    """

    id: str
    token_hash: str
    created: float
    expires: float
    correlation_id: str
    state: str = OPEN

    def matches_token(self, token: bytes) -> bool:
        """Whether a join token opens this room. The comparison takes constant time."""
        return hmac.compare_digest(hashlib.sha256(token).hexdigest(), self.token_hash)


def new_records(
    room_ids: Sequence[str], token_hash: str, created: float, expires: float, correlation_id: str
) -> list[RoomRecord]:
    """Records of the rooms of a new link. Only the first has the given correlation id."""
    own_ids = [correlation_id, *(correlation.new_id() for _ in room_ids[1:])]
    return [
        RoomRecord(room_id, token_hash, created, expires, own_id)
        for room_id, own_id in zip(room_ids, own_ids, strict=True)
    ]
