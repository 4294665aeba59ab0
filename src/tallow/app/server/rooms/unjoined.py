"""Rooms that nobody has joined in this process yet."""

from __future__ import annotations

from itertools import islice, takewhile
from typing import Final

UNJOINED_S: Final = 300
"""How long a room keeps its place that nobody joins. Senders join at once."""
BATCH: Final = 500
"""Rooms that are due in one second. Creation is limited, hence none waits for long."""


class UnjoinedRooms:
    """Knows which rooms have waited for too long. Memory is bounded by the places for rooms.

    Args:
        limit: seconds that a room may wait.
    """

    def __init__(self, limit: float = UNJOINED_S) -> None:
        self._limit = limit
        # In the order of the times, because each is the time of its insertion.
        self._since: dict[str, float] = {}

    def add(self, room_id: str, now: float) -> None:
        """A room waits from now on."""
        self._since.pop(room_id, None)
        self._since[room_id] = now

    def remove(self, room_id: str) -> bool:
        """A room no longer waits; False if it did not."""
        return self._since.pop(room_id, None) is not None

    def due(self, now: float) -> list[str]:
        """The rooms that have waited for too long, the oldest first, at most :data:`BATCH`."""
        aged = takewhile(lambda item: item[1] <= now - self._limit, self._since.items())
        return [room_id for room_id, _ in islice(aged, BATCH)]

    def __len__(self) -> int:
        return len(self._since)
