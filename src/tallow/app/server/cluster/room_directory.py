"""Which process owns a room.

Exactly one process owns a room: it holds the room's members, pairs its relay sockets and records its outcome.
Other processes forward the room's requests to it (:mod:`tallow.app.server.cluster.forwarding`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tallow.app.room_ids import common_part

SLOT_PREFIX: Final = "w"


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """How to reach another process: by ``host:port``, or by the path of its Unix socket."""

    host_port: str = ""
    socket_path: str | None = None


class RoomLocationError(Exception):
    """The owner of a room cannot be determined at the moment."""


class RoomDirectory(Protocol):
    """Knows which process owns a room. All rooms of a link have the same owner.

    Attributes:
        name: of this process, the prefix of the tokens it issues; empty if there is only one process.
    """

    name: str

    async def open(self) -> None:
        """Announce this process."""

    async def locate_room(self, room_id: str) -> NodeAddress | None:
        """The owner of a room; None: this process.

        Raises:
            RoomLocationError: the directory is not available.
        """

    async def locate_token(self, token: str) -> NodeAddress | None:
        """The process that issued a token; None: this process, or an unknown one."""

    async def renew_leases(self, room_ids: Iterable[str]) -> list[str]:
        """Renew the leases of rooms; return the rooms that another process owns now."""

    async def release_room(self, room_id: str) -> None:
        """Give up the ownership of a room."""

    def is_own_id(self, room_id: str) -> bool:
        """Whether this process would own a new room with an id."""

    async def owned_by_others(self, room_ids: Sequence[str]) -> set[str]:
        """Those of some rooms that other processes own; all of them while the directory is not available."""

    async def close(self) -> None:
        """Close connections and locks."""


class SingleProcessDirectory:
    """For a single process, which owns all rooms."""

    name = ""

    async def open(self) -> None:
        pass

    async def locate_room(self, room_id: str) -> NodeAddress | None:
        return None

    async def locate_token(self, token: str) -> NodeAddress | None:
        return None

    async def renew_leases(self, room_ids: Iterable[str]) -> list[str]:
        return []

    async def release_room(self, room_id: str) -> None:
        pass

    def is_own_id(self, room_id: str) -> bool:
        return True

    async def owned_by_others(self, room_ids: Sequence[str]) -> set[str]:
        return set()

    async def close(self) -> None:
        pass


class WorkerSlotDirectory:
    """For the workers of one server: a hash of the room id selects the slot, and its worker owns the room.

    A worker takes the first free slot and holds a lock on its file. The kernel releases the lock however the
    worker exits, and the next worker takes the slot.

    Args:
        folder: holds the workers' locks and sockets.
        count: number of slots.

    Raises:
        RuntimeError: all slots are taken.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count
        self._slot, self._lock = self._claim()
        self.name = f"{SLOT_PREFIX}{self._slot}"

    @property
    def socket_path(self) -> Path:
        """The socket on which this worker receives forwarded requests."""
        return self._folder / f"{self._slot}.sock"

    async def open(self) -> None:
        pass

    async def locate_room(self, room_id: str) -> NodeAddress | None:
        return self._address_of(_slot_of(room_id, self._count))

    async def locate_token(self, token: str) -> NodeAddress | None:
        slot = token.partition(".")[0].removeprefix(SLOT_PREFIX)
        return self._address_of(int(slot)) if slot.isascii() and slot.isdecimal() and len(slot) < 5 else None

    async def renew_leases(self, room_ids: Iterable[str]) -> list[str]:
        return []

    async def release_room(self, room_id: str) -> None:
        pass

    def is_own_id(self, room_id: str) -> bool:
        return _slot_of(room_id, self._count) == self._slot

    async def owned_by_others(self, room_ids: Sequence[str]) -> set[str]:
        return set()

    async def close(self) -> None:
        os.close(self._lock)

    def _address_of(self, slot: int) -> NodeAddress | None:
        known = slot != self._slot and slot < self._count
        return NodeAddress(socket_path=str(self._folder / f"{slot}.sock")) if known else None

    def _claim(self) -> tuple[int, int]:
        for slot in range(self._count):
            lock = os.open(self._folder / f"{slot}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
            else:
                return slot, lock
        raise RuntimeError(f"all {self._count} slots of workers are taken")


def _slot_of(room_id: str, count: int) -> int:
    return int.from_bytes(hashlib.blake2b(common_part(room_id).encode(), digest_size=8).digest()) % count
