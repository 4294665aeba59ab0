"""One client counts in the queue with a limited number of rooms, and for a limited time."""

from __future__ import annotations

from tallow.app.server.rooms.queue_depth import QueueDepth
from tallow.app.server.rooms.room import Room
from tallow.app.server.storage.records import RoomRecord

LIMIT = 3
SECONDS = 300


def room(cell: int, number: int = 0) -> Room:
    made = Room(RoomRecord(f"room{cell}-{number}", "0" * 64, 0, 86_400, "0" * 32), 86_400)
    made.sender_cell = cell
    return made


def test_rooms_of_one_client_count_up_to_the_limit() -> None:
    queue = QueueDepth(LIMIT, SECONDS)
    rooms = [room(1, number) for number in range(10)]
    for waiting in rooms:
        queue.set_waiting(waiting, 0, waiting=True)
    assert queue.depth == LIMIT
    other = room(2)
    queue.set_waiting(other, 0, waiting=True)
    assert queue.depth == LIMIT + 1
    for waiting in rooms[2:]:
        queue.set_waiting(waiting, 1, waiting=False)
    assert queue.depth == 3
    for waiting in (*rooms, other):
        queue.set_waiting(waiting, 2, waiting=False)
    assert queue.depth == 0


def test_a_room_counts_once() -> None:
    queue = QueueDepth(LIMIT, SECONDS)
    one = room(1)
    for now in range(5):
        queue.set_waiting(one, now, waiting=True)
    assert queue.depth == 1
    queue.set_waiting(room(9), 5, waiting=False)
    assert queue.depth == 1


def test_one_client_cannot_keep_the_queue_filled_for_ten_minutes() -> None:
    """NoSuccessfulTransfers fires if the queue holds a room throughout ten minutes."""
    queue = QueueDepth(LIMIT, SECONDS)
    longest = filled = total = 0
    for now in range(86_400):
        # A new pair every 30 s, each of which waits for 300 s, for a day.
        if now % 30 == 0:
            queue.set_waiting(room(1, now), now, waiting=True)
        for waiting in [old for old in queue.waiting() if _number(old) <= now - SECONDS]:
            queue.set_waiting(waiting, now, waiting=False)
        queue.update(now)
        filled = filled + 1 if queue.depth else 0
        longest, total = max(longest, filled), total + bool(queue.depth)
    assert SECONDS <= longest < 500
    assert total < 0.4 * 86_400


def test_two_clients_can_fill_the_queue_for_ten_minutes() -> None:
    queue = QueueDepth(LIMIT, SECONDS)
    depths = []
    for now in range(600):
        if now in {0, 400}:
            queue.set_waiting(room(now), now, waiting=True)
        queue.update(now)
        depths.append(queue.depth)
    assert min(depths) == 1


def test_short_waits_never_use_up_the_time_of_a_client() -> None:
    queue = QueueDepth(LIMIT, SECONDS)
    for start in range(0, 86_400, 60):  # 1,440 transfers a day, each of which waits for ten seconds
        one = room(1, start)
        queue.set_waiting(one, start, waiting=True)
        queue.update(start + 5)
        assert queue.depth == 1
        queue.set_waiting(one, start + 10, waiting=False)
        assert queue.depth == 0


def test_a_client_is_forgotten_when_it_has_all_its_time_back() -> None:
    queue = QueueDepth(LIMIT, SECONDS)
    one = room(1)
    queue.set_waiting(one, 0, waiting=True)
    queue.update(30)
    queue.set_waiting(one, 30, waiting=False)
    queue.update(60)
    assert len(queue._clients) == 1
    queue.update(30 + 60 + 1)
    assert len(queue._clients) == 0


def _number(room: Room) -> int:
    return int(room.record.id.partition("-")[2])
