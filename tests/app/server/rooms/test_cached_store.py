"""What counts as a miss of the cache: a room that it should have held, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.transfers.rooms_in_time import Connection, RoomsInTime
from tallow.app.room_ids import new_room_ids
from tallow.app.server.rooms.manager import KEPT_S
from tallow.app.server.rooms.unjoined import UNJOINED_S

WRONG = b"w" * 32


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[RoomsInTime]:
    rooms = RoomsInTime(tmp_path)
    await rooms.store.open()
    yield rooms
    await rooms.store.close()


async def test_a_room_that_the_cache_has_lost_is_a_miss(rooms: RoomsInTime) -> None:
    room_id = await rooms.create()
    await rooms.manager.open_room(room_id, WRONG)
    assert rooms.lookups() == (1, 0)
    await rooms.cache.clear()
    await rooms.manager.open_room(room_id, WRONG)
    assert rooms.lookups() == (1, 1)
    await rooms.manager.open_room(room_id, WRONG)
    assert rooms.lookups() == (2, 1)


async def test_a_room_that_does_not_exist_is_neither_hit_nor_miss(rooms: RoomsInTime) -> None:
    for room_id in (new_room_ids()[0], "no room id", ""):
        assert await rooms.open(room_id) is None
    assert rooms.lookups() == (0, 0)


async def test_a_room_in_memory_is_not_looked_up(rooms: RoomsInTime) -> None:
    room = await rooms.pair()
    before = rooms.lookups()
    await rooms.cache.clear()
    assert await rooms.open(room.record.id) is room
    assert rooms.lookups() == before


async def test_rooms_from_before_a_restart_are_no_misses(tmp_path: Path, rooms: RoomsInTime) -> None:
    old = [await rooms.create() for _ in range(3)]
    restarted = RoomsInTime(tmp_path, now=1.0)
    for room_id in old:
        assert await restarted.open(room_id) is not None
    assert restarted.lookups() == (0, 0)
    new = await restarted.create()
    await restarted.cache.clear()
    await restarted.open(new)
    assert restarted.lookups() == (0, 1)
    await restarted.store.close()


async def test_nothing_that_one_client_does_in_three_hours_is_a_miss(rooms: RoomsInTime) -> None:
    """It makes rooms, joins and leaves them, ends transfers, and asks for all its links again and again."""
    links: list[str] = []
    for number in range(180):
        room_id = await rooms.create()
        links.append(room_id)
        if number % 3 == 0:
            room = await rooms.pair(room_id)
            if number % 2:
                await rooms.manager.start_transfer(room, "p2p")
                await rooms.manager.conclude(room, ("success", "failed", "cancelled")[number % 5 % 3])
            rooms.leave(room)
        elif number % 3 == 1:
            opened = await rooms.open(room_id)
            assert opened is not None
            rooms.manager.join(opened, "sender", Connection(), "cli", None)
        await rooms.after(60)
        for old in links[-(KEPT_S // 60 + 20) :: 7]:
            await rooms.manager.open_room(old, WRONG)
            await rooms.open(old)
    hits, misses = rooms.lookups()
    assert misses == 0
    assert hits > UNJOINED_S
