"""The rooms in the memory of this process, their tokens, and the places that they hold."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from tallow.app.server.limits.room_places import RoomPlaces
from tallow.app.server.rooms.metrics import RoomMetrics
from tallow.app.server.rooms.room import Member, Room
from tallow.app.server.rooms.token_store import TokenStore
from tallow.app.server.rooms.unjoined import UnjoinedRooms
from tallow.app.server.storage.records import RoomRecord
from tallow.app.wire import CloseReason, Role

MAX_LINGERING: Final = 10_000
"""Finished rooms in memory. Above it the oldest are removed earlier."""


class LiveRooms:
    """Holds rooms from the first join until they are removed.

    Args:
        name: of this process, the prefix of its tokens; empty if there is only one process.
        unjoined: the rooms that this process created and nobody has joined.

    Attributes:
        by_id: the rooms.
        end_listeners: called with each room that is removed.
    """

    def __init__(
        self, name: str, places: RoomPlaces, unjoined: UnjoinedRooms, room_metrics: RoomMetrics
    ) -> None:
        self.by_id: dict[str, Room] = {}
        self.places = places
        self.unjoined = unjoined
        self.relay_tickets: TokenStore[tuple[Room, Member]] = TokenStore(name)
        self.report_tokens: TokenStore[tuple[Room, Role]] = TokenStore(name)
        self.end_listeners: list[Callable[[Room], None]] = []
        self._metrics = room_metrics
        self._ended: dict[str, Room] = {}
        """Finished rooms in memory, in the order of their ends."""

    def open(self, record: RoomRecord, deadline: float, now: float) -> Room:
        """The room of a record; it stays in memory from now on.

        Args:
            deadline: when it expires.
        """
        self.unjoined.remove(record.id)
        return self.by_id.setdefault(record.id, Room(record, deadline, empty_since=now))

    def issue_tokens(self, room: Room, member: Member) -> None:
        """Issue a relay ticket and a telemetry token to a new member."""
        member.relay_ticket = self.relay_tickets.issue((room, member))
        self.issue_report_token(room, member.role)

    def issue_report_token(self, room: Room, role: Role) -> str:
        """Issue a one-time telemetry token; the role's last one is revoked."""
        last = room.report_tokens.get(role)
        if last is not None:
            self.report_tokens.revoke(last)
        token = room.report_tokens[role] = self.report_tokens.issue((room, role))
        return token

    def revoke_ticket(self, member: Member) -> None:
        """Revoke the relay ticket of a member that has left or was replaced."""
        if member.relay_ticket:
            self.relay_tickets.revoke(member.relay_ticket)

    def give_place_back(self, room: Room) -> None:
        """The transfer has an outcome. The room stays in memory for a while, and may have members."""
        self.places.release(room.record.id)
        self._ended[room.record.id] = room

    def end(self, room: Room, now: float) -> None:
        """Remove a room that has expired, or that nobody uses."""
        self.places.release(room.record.id)
        self.remove(room, now)

    def evict(self, room_id: str, now: float) -> None:
        """Remove a room that another process owns now, without an outcome."""
        room = self.by_id.get(room_id)
        if room is not None:
            self.remove(room, now, "internal")
            if room_id in self.places:
                self.unjoined.add(room_id, now)  # asks from time to time whether it has ended there

    def remove(self, room: Room, now: float, reason: CloseReason = "expired") -> None:
        """Remove a room, and disconnect its members."""
        del self.by_id[room.record.id]
        self._ended.pop(room.record.id, None)
        for token in room.report_tokens.values():
            self.report_tokens.revoke(token)
        for member in room.end(now):
            self.revoke_ticket(member)
            member.connection.end_with(reason)
        self._metrics.update(room, now)
        for listener in self.end_listeners:
            listener(room)

    def remove_excess(self, now: float) -> None:
        """Remove the oldest of too many finished rooms."""
        excess = len(self._ended) - MAX_LINGERING
        for room in list(islice(self._ended.values(), max(0, excess))):
            if not room.members:
                self.remove(room, now)
