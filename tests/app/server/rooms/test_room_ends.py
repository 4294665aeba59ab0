"""A room gives its place back when it ends: finished, expired, left, or never used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.transfers.rooms_in_time import Connection, RoomsInTime
from tallow.app.server.limits.room_places import RoomLimitError
from tallow.app.server.rooms.manager import ABANDONED_S, KEPT_S, LINGER_S
from tallow.app.server.rooms.unjoined import UNJOINED_S
from tallow.app.wire import TransferOutcome


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[RoomsInTime]:
    rooms = RoomsInTime(tmp_path, rooms_per_address=2)
    await rooms.store.open()
    yield rooms
    await rooms.store.close()


async def test_more_than_a_thousand_transfers_of_one_address_are_no_abuse(tmp_path: Path) -> None:
    rooms = RoomsInTime(tmp_path)
    await rooms.store.open()
    for number in range(1_100):
        await rooms.transfer(("success", "failed", "cancelled")[number % 3])
        assert len(rooms.places) == 0
        await rooms.after(1)
        assert len(rooms.manager.live) <= LINGER_S + 2
    await rooms.after(LINGER_S + 1)
    assert len(rooms.manager.live) == 0
    assert len(rooms.manager.report_tokens) == len(rooms.manager.relay_tickets) == 0
    await rooms.after(KEPT_S)
    await rooms.store.sweep()
    assert await rooms.store.count() == 0
    await rooms.store.close()


async def test_the_limit_counts_rooms_that_are_held(rooms: RoomsInTime) -> None:
    held = [await rooms.pair(), await rooms.pair()]
    with pytest.raises(RoomLimitError):
        await rooms.create()
    await rooms.manager.conclude(held[0], "success")
    await rooms.create()
    with pytest.raises(RoomLimitError):
        await rooms.create()


@pytest.mark.parametrize("outcome", ["success", "failed", "cancelled"])
async def test_a_finished_transfer_gives_its_place_back_at_once(
    rooms: RoomsInTime, outcome: TransferOutcome
) -> None:
    room = await rooms.pair()
    assert len(rooms.places) == 1
    await rooms.manager.conclude(room, outcome)
    assert len(rooms.places) == 0
    await rooms.manager.conclude(room, outcome)
    assert len(rooms.places) == 0


async def test_a_sender_that_leaves_before_a_receiver_came_gives_the_place_back(
    rooms: RoomsInTime,
) -> None:
    room = await rooms.open(await rooms.create())
    assert room is not None
    member, _ = rooms.manager.join(room, "sender", Connection(), "cli", None)
    rooms.manager.leave(room, member, "cancelled")
    await rooms.manager.conclude_unused(room)
    assert len(rooms.places) == 0


async def test_a_room_that_nobody_joins_gives_its_place_back_and_its_link_is_forgotten(
    rooms: RoomsInTime,
) -> None:
    unused, used = await rooms.create(), await rooms.create()
    room = await rooms.open(used)
    assert room is not None
    rooms.manager.join(room, "sender", Connection(), "cli", None)
    await rooms.after(UNJOINED_S - 1)
    assert len(rooms.places) == 2
    await rooms.after(1)
    assert used in rooms.places
    assert unused not in rooms.places
    assert await rooms.open(unused) is None
    assert len(rooms.manager._unjoined) == 0
    await rooms.store.sweep()
    assert await rooms.store.count() == 1


async def test_rooms_are_ended_whatever_the_order_of_their_ends(rooms: RoomsInTime) -> None:
    first, second = await rooms.create(), await rooms.create()
    await rooms.pair(first)
    await rooms.after(UNJOINED_S)
    assert (first in rooms.places, second in rooms.places) == (True, False)
    third = await rooms.create()
    await rooms.after(UNJOINED_S)
    assert (first in rooms.places, third in rooms.places) == (True, False)


async def test_a_room_that_both_left_without_an_outcome_gives_its_place_back(rooms: RoomsInTime) -> None:
    room = await rooms.pair()
    rooms.leave(room)
    await rooms.after(ABANDONED_S)
    assert len(rooms.places) == 1
    await rooms.after(1)
    assert len(rooms.places) == 0
    assert rooms.manager.live == {}
    again = await rooms.open(room.record.id)  # a laptop that slept may go on for a while
    assert again is not None
    rooms.manager._memory.remove(again, rooms.clock())
    await rooms.after(KEPT_S)
    assert await rooms.open(room.record.id) is None


async def test_a_waiting_sender_keeps_its_room_until_it_expires(rooms: RoomsInTime) -> None:
    room = await rooms.open(await rooms.create())
    assert room is not None
    connection = Connection()
    rooms.manager.join(room, "sender", connection, "cli", None)
    for _ in range(23):
        await rooms.after(3600)
    assert len(rooms.places) == 1
    assert connection.ended == []
    await rooms.after(3600)
    assert len(rooms.places) == 0
    assert connection.ended == ["expired"]


async def test_a_failed_transfer_may_go_on_while_somebody_is_there(rooms: RoomsInTime) -> None:
    room = await rooms.pair()
    await rooms.manager.conclude(room, "failed")
    await rooms.after(KEPT_S + 1)
    await rooms.cache.clear()
    await rooms.store.sweep()
    assert await rooms.open(room.record.id) is room


async def test_a_room_that_is_opened_and_not_joined_does_not_stay_in_memory(rooms: RoomsInTime) -> None:
    finished = await rooms.transfer()
    await rooms.after(LINGER_S + 1)
    assert await rooms.open(finished.record.id) is not None
    assert await rooms.open(await rooms.create()) is not None
    assert len(rooms.manager.live) == 2
    await rooms.after(LINGER_S + 1)
    assert rooms.manager.live == {}
    assert len(rooms.places) == 0


async def test_a_short_lifetime_ends_an_unused_room(tmp_path: Path) -> None:
    rooms = RoomsInTime(tmp_path, room_lifetime=60)
    await rooms.store.open()
    await rooms.create()
    await rooms.after(61)
    assert len(rooms.places) == 0
    await rooms.store.close()


async def test_a_room_of_another_server_keeps_its_place_until_that_server_gave_it_up(
    rooms: RoomsInTime,
) -> None:
    room_id = await rooms.create()
    rooms.moved = {room_id}
    for _ in range(5):
        await rooms.after(UNJOINED_S)
        assert room_id in rooms.places
    rooms.moved = set()
    await rooms.after(UNJOINED_S)
    assert room_id not in rooms.places


async def test_a_room_that_moved_to_another_server_keeps_its_place(rooms: RoomsInTime) -> None:
    room = await rooms.pair()
    rooms.moved = {room.record.id}
    rooms.manager.evict(room.record.id)
    await rooms.after(UNJOINED_S)
    assert room.record.id in rooms.places
    rooms.moved = set()
    await rooms.after(UNJOINED_S)
    assert len(rooms.places) == 0


async def test_finished_rooms_in_memory_are_bounded(
    rooms: RoomsInTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallow.app.server.rooms.live_rooms.MAX_LINGERING", 5)
    transfers = [await rooms.transfer() for _ in range(8)]
    await rooms.after(1)
    assert list(rooms.manager.live) == [room.record.id for room in transfers[3:]]


async def test_a_place_is_given_back_if_the_database_fails(rooms: RoomsInTime) -> None:
    async with rooms.store.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE rooms")
    with pytest.raises(Exception, match="Error"):
        await rooms.create()
    assert len(rooms.places) == 0
    assert len(rooms.manager._unjoined) == 0
