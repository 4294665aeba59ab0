"""The ids of the rooms of one link."""

from __future__ import annotations

import pytest

from tallow.app.room_ids import common_part, new_room_ids, possible_rooms, rooms_of_link
from tallow.app.wire import MAX_RECEIVERS, ROOM_ID


@pytest.mark.parametrize("receivers", [1, 2, MAX_RECEIVERS])
def test_the_room_of_a_link_tells_its_other_rooms(receivers: int) -> None:
    room_ids = new_room_ids(receivers)
    assert rooms_of_link(room_ids[-1]) == room_ids
    assert len(set(room_ids)) == receivers
    assert len({common_part(room_id) for room_id in room_ids}) == 1
    assert set(room_ids) <= set(possible_rooms(room_ids[0]))
    assert all(ROOM_ID.fullmatch(room_id) for room_id in room_ids)


def test_the_ids_of_two_links_have_nothing_in_common() -> None:
    assert len({common_part(new_room_ids()[0]) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("room_id", ["room", "", "a" * 15, "a" * 17, "abcdefgh234567a7", "abcdefgh234567a!"])
def test_any_other_id_is_a_link_with_one_room(room_id: str) -> None:
    assert rooms_of_link(room_id) == [room_id]
