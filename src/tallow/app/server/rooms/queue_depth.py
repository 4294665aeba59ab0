"""How many rooms wait for data, as far as one client may move that number.

A pair that joins a room and does nothing looks like a transfer that cannot start. Alerts read the number of
such rooms. Hence one client, which may open many, counts with a limited number of rooms and for a limited
time.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from tallow.app.server.rooms.room import Room

RECOVERY: Final = 1 / 3
"""Seconds of a client's time that it gets back in a second."""


@dataclass(slots=True)
class _Client:
    """The waiting rooms of one client.

    Attributes:
        seconds: left for which its rooms count.
        at: when ``seconds`` was computed.
        exhausted: the time was used up; the rooms count again when all of it is back.
    """

    seconds: float
    at: float
    rooms: set[Room] = field(default_factory=set)
    exhausted: bool = False

    def settle(self, now: float, full: float) -> None:
        """Charge the time that has passed."""
        spends = bool(self.rooms) and not self.exhausted
        self.seconds += (now - self.at) * (RECOVERY - 1 if spends else RECOVERY)
        self.at = now
        if self.seconds <= 0:
            self.exhausted = True
        elif self.seconds >= full:
            self.seconds, self.exhausted = full, False

    def counted(self, limit: int) -> int:
        """How many of the rooms count."""
        return 0 if self.exhausted else min(len(self.rooms), limit)


class QueueDepth:
    """Counts waiting rooms.

    Args:
        per_client: rooms of one client that count at a time.
        seconds: for which the rooms of a client count without a pause, if it gets none back meanwhile.

    Attributes:
        depth: the number of waiting rooms that count.
    """

    def __init__(self, per_client: int, seconds: float) -> None:
        self._per_client = per_client
        self._seconds = seconds
        self._clients: dict[Hashable, _Client] = {}
        self.depth = 0

    def set_waiting(self, room: Room, now: float, *, waiting: bool) -> None:
        """Note whether a room waits for data."""
        client = self._clients.get(room.sender_cell)
        if client is None:
            if not waiting:
                return
            client = self._clients[room.sender_cell] = _Client(self._seconds, now)
        before = client.counted(self._per_client)
        client.settle(now, self._seconds)
        (client.rooms.add if waiting else client.rooms.discard)(room)
        self.depth += client.counted(self._per_client) - before

    def waiting(self) -> list[Room]:
        """All waiting rooms."""
        return [room for client in self._clients.values() for room in client.rooms]

    def update(self, now: float) -> None:
        """Charge the time of all clients, and forget those that wait for nothing. Called every second."""
        for cell, client in list(self._clients.items()):
            before = client.counted(self._per_client)
            client.settle(now, self._seconds)
            self.depth += client.counted(self._per_client) - before
            if not client.rooms and client.seconds >= self._seconds:
                del self._clients[cell]
