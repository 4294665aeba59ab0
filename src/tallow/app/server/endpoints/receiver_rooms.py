"""Chooses the room of a receiver: a link for several receivers has one room for each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tallow.app.room_ids import rooms_of_link
from tallow.app.server.rooms.room import Room


async def open_receiver_room(
    open_room: Callable[[str], Awaitable[Room | None]], link_room: str
) -> Room | None:
    """The room of a receiver that joins for the first time; None: no room of the link can be opened.

    The first room that no receiver has joined. If there is none, a room that its receiver has left without an
    outcome, for a receiver that lost its state. If there is none of these either, a room that refuses the
    join: it is taken, or its transfer is over.

    Args:
        open_room: opens a room of this link.

    Raises:
        StoreError: the database is not available.
    """
    best: Room | None = None
    for room_id in reversed(rooms_of_link(link_room)):
        room = await open_room(room_id)
        if room is None:
            continue
        if room.awaits_receiver:
            return room  # at once: no other receiver can join before this one does
        if best is None or _preference(room) > _preference(best):
            best = room
    return best


def _preference(room: Room) -> int:
    if room.is_closed:
        return 0
    return 1 if "receiver" in room.members else 2
