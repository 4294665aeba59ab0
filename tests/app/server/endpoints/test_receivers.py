"""A link for several receivers: a room for each of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from support.transfers.server import Client, RunningServer, serving
from tallow.app.room_ids import rooms_of_link
from tallow.app.wire import MAX_RECEIVERS


async def create(client: Client, receivers: int, token: bytes) -> list[str]:
    body = {"token_hash": hashlib.sha256(token).hexdigest(), "receivers": receivers}
    answer = await client.http.post("/api/rooms", json=body)
    assert answer.status_code == 201, answer.text
    return rooms_of_link(answer.json()["room"])


async def test_each_receiver_gets_a_room_of_its_own(server: RunningServer) -> None:
    token = os.urandom(32)
    rooms = await create(server, 3, token)
    link_room = rooms[-1]
    senders = {room: await server.join(room, token, "sender") for room in rooms}
    receivers = [await server.join(link_room, token, "receiver") for _ in rooms]
    assert sorted(receiver.joined["room"] for receiver in receivers) == rooms
    for receiver in receivers:
        assert await senders[receiver.joined["room"]].receive() == {"type": "peer", "event": "joined"}
    ids = [receiver.joined["correlation_id"] for receiver in receivers]
    assert len(set(ids)) == 3
    with pytest.raises(AssertionError, match="role_taken"):
        await server.join(link_room, token, "receiver")


async def test_a_receiver_returns_to_its_own_room(server: RunningServer) -> None:
    token = os.urandom(32)
    rooms = await create(server, 2, token)
    first = await server.join(rooms[-1], token, "receiver")
    await first.socket.close()
    second = await server.join(rooms[-1], token, "receiver")
    assert second.joined["room"] != first.joined["room"]  # a room that was used is not given to another one
    again = await server.join(first.joined["room"], token, "receiver", rejoin_key=first.joined["rejoin_key"])
    assert again.joined["room"] == first.joined["room"]


async def test_a_receiver_without_its_state_gets_the_room_that_was_left(server: RunningServer) -> None:
    token = os.urandom(32)
    rooms = await create(server, 2, token)
    first, _second = [await server.join(rooms[-1], token, "receiver") for _ in rooms]
    await first.socket.close()
    await server.wait_for_value("active_connections", 1, type="websocket")
    third = await server.join(rooms[-1], token, "receiver")
    assert third.joined["room"] == first.joined["room"]


async def test_a_transfer_that_is_over_leaves_the_other_rooms_open(server: RunningServer) -> None:
    token = os.urandom(32)
    rooms = await create(server, 2, token)
    sender = await server.join(rooms[-1], token, "sender")
    receiver = await server.join(rooms[-1], token, "receiver")
    assert receiver.joined["room"] == rooms[-1]
    await sender.send(type="leave", outcome="success")
    await sender.socket.wait_closed()
    other = await server.join(rooms[-1], token, "receiver")
    assert other.joined["room"] == rooms[0]
    late = await server.join(rooms[0], token, "sender")
    await late.send(type="leave", outcome="success")
    await late.socket.wait_closed()
    for each in (receiver, other):
        await each.socket.close()
    await server.wait_for_value("active_connections", 0, type="websocket")
    with pytest.raises(AssertionError, match="expired"):
        await server.join(rooms[-1], token, "receiver")


async def test_a_wrong_token_opens_no_room(server: RunningServer) -> None:
    rooms = await create(server, 2, os.urandom(32))
    with pytest.raises(AssertionError, match="unknown_room"):
        await server.join(rooms[-1], os.urandom(32), "receiver")


@pytest.mark.parametrize("receivers", [0, -1, MAX_RECEIVERS + 1, 1.5, True, "2", None, [2]], ids=repr)
async def test_a_number_of_receivers_is_checked(server: RunningServer, receivers: object) -> None:
    body = {"token_hash": "0" * 64, "receivers": receivers}
    answer = await server.http.post("/api/rooms", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_body")
    assert str(MAX_RECEIVERS) in answer.json()["message"]


async def test_each_room_counts_for_the_limit_on_new_rooms(tmp_path: Path) -> None:
    async with serving(tmp_path, rooms_per_minute=6) as server:
        await create(server, 4, os.urandom(32))
        body = {"token_hash": "0" * 64, "receivers": 4}
        assert (await server.http.post("/api/rooms", json=body)).status_code == 429
        assert server.value("limit_rejections_total", limit="rooms_per_minute") == 1


async def test_a_link_gets_all_its_rooms_or_none(tmp_path: Path) -> None:
    async with serving(tmp_path, rooms_per_address=5) as server:
        await create(server, 3, os.urandom(32))
        body = {"token_hash": "0" * 64, "receivers": 3}
        assert (await server.http.post("/api/rooms", json=body)).status_code == 429
        assert len(server.context.rooms.places) == 3
        assert await server.context.store.count() == 3
        await create(server, 2, os.urandom(32))
