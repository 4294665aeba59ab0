"""Places for rooms: how many rooms a client, its networks and the whole server may hold at a time.

A room holds a place from its creation to its end. Each network that the client's address belongs to may hold
at most a share of the places that are free: the more rooms a network holds, the more places must be free for
its next one. This is the dynamic threshold of Choudhury and Hahne ("Dynamic Queue Length Thresholds for
Shared-Memory Packet Switches", IEEE/ACM Transactions on Networking 6, 1998). While the server is empty, a
client may hold many rooms. As the server fills, those who hold most get no more, and what is left goes to
those who hold few: ``n`` networks with the share ``s`` hold together at most ``n*s / (1 + n*s)`` of all
places, however long they try.

>>> places = RoomPlaces(max_rooms=100, per_address=1000, share=0.25)
>>> for number in range(20):
...     places.take(f"room-{number}", (b"flood",))
>>> places.take("one too many", (b"flood",))
Traceback (most recent call last):
    ...
tallow.app.server.limits.room_places.RoomLimitError: room_share
>>> places.take("honest", (b"another network",))
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final, Literal, Self

from tallow.app.server.settings import ServerSettings

NETWORK_FACTORS: Final = (1, 2, 4)
"""How many times the share of an address (IPv4 /32, IPv6 /64) its wider networks may hold: IPv4 /24; IPv6 /48
and /40."""

Limit = Literal["rooms_per_address", "room_share", "max_rooms"]


class RoomLimitError(Exception):
    """The room cannot be created: the address, its network, or the server has as many rooms as it may."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit)
        self.limit: Limit = limit


class RoomPlaces:
    """Counts the rooms that are held, by network.

    Memory is bounded by ``max_rooms``: a network is known as long as it holds a room.

    Args:
        max_rooms: of the server.
        per_address: rooms of one address.
        share: of the free places, which an address may hold; its networks may hold :data:`NETWORK_FACTORS`
            times as much.
    """

    def __init__(self, max_rooms: int, per_address: int, share: float) -> None:
        self._max_rooms = max_rooms
        self._per_address = per_address
        self._shares = [share * factor for factor in NETWORK_FACTORS]
        self._networks: dict[str, Sequence[bytes]] = {}
        self._held: dict[bytes, int] = {}

    @classmethod
    def of_worker(cls, settings: ServerSettings, workers: int) -> Self:
        """An equal part of the server's places, rounded up, for one of its workers."""
        max_rooms, per_address = (
            ceil(settings.max_rooms / workers),
            ceil(settings.rooms_per_address / workers),
        )
        return cls(max_rooms, per_address, settings.room_share)

    def take(self, room_id: str, networks: Sequence[bytes]) -> None:
        """Take a place for a new room.

        Args:
            networks: hashes of the networks that the client's address belongs to, from the narrowest to the
                widest.

        Raises:
            RoomLimitError: there is no place for it.
        """
        free = self._max_rooms - len(self._networks)
        if free <= 0:
            raise RoomLimitError("max_rooms")
        held = [self._held.get(network, 0) for network in networks]
        if held and held[0] >= self._per_address:
            raise RoomLimitError("rooms_per_address")
        if any(count >= share * free for count, share in zip(held, self._shares, strict=False)):
            raise RoomLimitError("room_share")
        self._networks[room_id] = networks
        for network, count in zip(networks, held, strict=True):
            self._held[network] = count + 1

    def release(self, room_id: str) -> None:
        """Give the place of a room back, if it holds one."""
        for network in self._networks.pop(room_id, ()):
            if self._held[network] > 1:
                self._held[network] -= 1
            else:
                del self._held[network]

    def __contains__(self, room_id: str) -> bool:
        return room_id in self._networks

    def __len__(self) -> int:
        return len(self._networks)
