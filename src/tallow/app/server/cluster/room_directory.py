"""Where a room lives, when several processes serve one Tallow.

A room has one home: the process that holds its seats, pairs its relay and books its outcome. A socket or a
report that arrives elsewhere is handed to it (see :mod:`tallow.app.server.cluster.forwarding`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

SLOT_PREFIX: Final = "w"


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """How to reach another process: ``host:port``, or the path of its Unix socket."""

    host_port: str = ""
    socket_path: str | None = None


class RoomLocationError(Exception):
    """It cannot be told at this moment where a room lives."""


class RoomDirectory(Protocol):
    """What the server asks of the house register.

    Attributes:
        name: this process's name, put before the tokens it issues; empty if it is the only one.
    """

    name: str

    async def open(self) -> None:
        """Move in."""

    async def locate_room(self, room_id: str) -> NodeAddress | None:
        """Where a room lives; None: here.

        Raises:
            NoHomeError: the register cannot be asked.
        """

    async def locate_token(self, token: str) -> NodeAddress | None:
        """Where a token was issued; None: here, or nowhere that is known."""

    async def renew_leases(self, room_ids: Iterable[str]) -> list[str]:
        """Say that these rooms still live here; those that no longer do."""

    async def release_room(self, room_id: str) -> None:
        """A room that lived here is gone."""

    async def close(self) -> None:
        """Move out."""


class SingleProcessDirectory:
    """One process: every room lives here."""

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

    async def close(self) -> None:
        pass


class WorkerSlotDirectory:
    """Several workers of one server: the room's name says which slot it lives in.

    A worker takes the first free slot and holds a lock on it while it lives; the kernel takes the lock back
    however the worker ends, and its successor moves into the same slot.

    Args:
        folder: shared by the workers, for locks and sockets.
        count: slots.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count
        self._slot, self._lock = self._claim()
        self.name = f"{SLOT_PREFIX}{self._slot}"

    @property
    def socket_path(self) -> Path:
        """Where this worker listens for what others hand over."""
        return self._folder / f"{self._slot}.sock"

    async def open(self) -> None:
        pass

    async def locate_room(self, room_id: str) -> NodeAddress | None:
        return self._address_of(
            int.from_bytes(hashlib.blake2b(room_id.encode(), digest_size=8).digest()) % self._count
        )

    async def locate_token(self, token: str) -> NodeAddress | None:
        slot = token.partition(".")[0].removeprefix(SLOT_PREFIX)
        return self._address_of(int(slot)) if slot.isascii() and slot.isdecimal() and len(slot) < 5 else None

    async def renew_leases(self, room_ids: Iterable[str]) -> list[str]:
        return []

    async def release_room(self, room_id: str) -> None:
        pass

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
