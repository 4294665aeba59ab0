"""A Redis that cannot be reached: each failure of the room directory is counted and logged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from support.registries import tallow_metrics
from tallow.app.server.cluster.redis import RedisRoomDirectory, connect
from tallow.app.server.cluster.room_directory import RoomLocationError
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.testing import captured_logs

UNREACHABLE = "redis://127.0.0.1:1"

Call = Callable[[RedisRoomDirectory], Awaitable[object]]


async def _locate_room(directory: RedisRoomDirectory) -> object:
    with pytest.raises(RoomLocationError):
        return await directory.locate_room("room")
    return None


CALLS: dict[str, tuple[Call, object]] = {
    "open": (lambda directory: directory.open(), None),
    "locate_room": (_locate_room, None),
    "locate_token": (lambda directory: directory.locate_token("0123456789ab.token"), None),
    "renew_leases": (lambda directory: directory.renew_leases(["room"]), []),
    "release_room": (lambda directory: directory.release_room("room"), None),
    "owned_by_others": (lambda directory: directory.owned_by_others(["room"]), {"room"}),
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_failure_is_counted_and_logged(name: str) -> None:
    call, expected = CALLS[name]
    metrics = tallow_metrics()
    directory = RedisRoomDirectory(connect(UNREACHABLE), "one:1", metrics=metrics)
    REPEATS.clear()
    with captured_logs() as logs:
        assert await call(directory) == expected
    [record] = logs.records
    assert (record["level"], record["message"]) == ("error", "The room directory failed")
    assert record["error"]["type"] == "redis.exceptions.ConnectionError"
    assert metrics.registry.value("errors_total", type="storage", severity="high") == 1
    await directory.close()
