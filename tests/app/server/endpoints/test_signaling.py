"""Signaling, over real sockets."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.transfers.server import Peer, RunningServer, join_message, serving
from tallow.app.wire import CLOSE_CODES, CloseReason

pytestmark = pytest.mark.slow


async def refusal(server: RunningServer, message: object) -> tuple[str, int]:
    """The error code and close code that a first message gets."""
    connection = await server.connect("/api/signal")
    await connection.send(message if isinstance(message, str | bytes) else json.dumps(message))
    answer = json.loads(await connection.recv())
    assert answer["type"] == "error"
    assert answer["message"]
    with pytest.raises(ConnectionClosed):
        await connection.recv()
    assert connection.close_code is not None
    return answer["code"], connection.close_code


async def close_code(peer: Peer) -> int | None:
    with pytest.raises(ConnectionClosed):
        while True:
            await peer.socket.recv()
    return peer.socket.close_code


async def test_both_peers_get_the_same_correlation_id(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    assert not sender.joined["peer"]
    assert receiver.joined["peer"]
    assert sender.joined["correlation_id"] == receiver.joined["correlation_id"]
    assert sender.joined["rejoin_key"] != receiver.joined["rejoin_key"]


async def test_a_room_has_the_correlation_id_of_the_request_that_created_it(server: RunningServer) -> None:
    request_id = os.urandom(16).hex()
    server.http.headers["x-request-id"] = request_id
    sender, _ = await server.pair()
    assert sender.joined["correlation_id"] == request_id


@pytest.mark.parametrize("kind", ["offer", "answer", "candidate"])
async def test_messages_are_forwarded_unchanged(server: RunningServer, kind: str) -> None:
    sender, receiver = await server.pair()
    data = {"v": 1, "text": "häé\u2028", "deep": {"er": [1, 2.5, None, True]}}
    await sender.send(type=kind, data=data)
    assert await receiver.receive() == {"type": kind, "data": data}
    assert server.value("signaling_messages_total", type=kind, direction="in") == 1
    assert server.value("signaling_messages_total", type=kind, direction="out") == 1


async def test_a_message_without_another_peer_gets_no_peer(server: RunningServer) -> None:
    token = os.urandom(32)
    sender = await server.join(await server.room(token), token, "sender")
    await sender.send(type="offer", data={})
    assert (await sender.receive())["code"] == "no_peer"


async def test_a_wrong_token_and_an_unknown_room_get_the_same_error(server: RunningServer) -> None:
    room = await server.room(os.urandom(32))
    wrong = await refusal(server, join_message(room, os.urandom(32), "receiver"))
    unknown = await refusal(server, join_message("a" * 16, os.urandom(32), "receiver"))
    malformed = await refusal(server, join_message("../../etc", b"short", "receiver"))
    assert wrong == unknown == malformed == ("unknown_room", CLOSE_CODES["unknown_room"])


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", "bad_message"),
        (b"\x00binary", "bad_message"),
        ("[]", "bad_message"),
        ({"type": "leave"}, "bad_message"),
        ({"type": "join", "version": 2}, "bad_message"),
        ({"type": "join", "version": 1}, "bad_version"),
        ({"type": "offer", "data": {"x": [[[[[[[[1]]]]]]]]}}, "bad_message"),
        ({"type": "offer", "data": {"x": "y" * 65_536}}, "too_large"),
        ("[" * 5000, "bad_message"),
        ({**join_message("a" * 16, bytes(32), "sender"), "extra": 1}, "bad_message"),
        ({**join_message("a" * 16, bytes(32), "boss")}, "bad_message"),
    ],
)
async def test_a_bad_first_message_is_refused(
    server: RunningServer, message: object, code: CloseReason
) -> None:
    assert await refusal(server, message) == (code, CLOSE_CODES[code])


async def test_an_error_does_not_repeat_the_message(server: RunningServer) -> None:
    connection = await server.connect("/api/signal")
    await connection.send(json.dumps({"type": "join", "version": 2, "alice@example.org": "secret"}))
    answer = str(await connection.recv())
    assert "alice" not in answer
    assert "secret" not in answer


async def test_a_role_in_use_is_refused(server: RunningServer) -> None:
    token = os.urandom(32)
    room = await server.room(token)
    first = await server.join(room, token, "sender")
    assert (await refusal(server, join_message(room, token, "sender")))[0] == "role_taken"
    wrong = join_message(room, token, "sender", rejoin_key="wrong")
    assert (await refusal(server, wrong))[0] == "role_taken"
    await first.send(type="leave")
    assert await close_code(first) == 1000


async def test_the_rejoin_key_replaces_the_peer_s_own_connection(server: RunningServer) -> None:
    token = os.urandom(32)
    room = await server.room(token)
    first = await server.join(room, token, "sender")
    receiver = await server.join(room, token, "receiver")
    again = await server.join(room, token, "sender", rejoin_key=first.joined["rejoin_key"])
    assert again.joined["rejoin_key"] == first.joined["rejoin_key"]
    assert again.joined["telemetry_token"] != first.joined["telemetry_token"]
    assert await close_code(first) == CLOSE_CODES["taken_over"]
    await again.send(type="offer", data={"n": 1})
    assert await receiver.receive() == {"type": "peer", "event": "joined"}
    assert await receiver.receive() == {"type": "offer", "data": {"n": 1}}
    await server.wait_for_value("device_connections", 2, device_type="cli")


async def test_the_other_peer_gets_the_outcome_of_a_leave_message(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    await sender.send(type="leave", outcome="cancelled")
    assert await receiver.receive() == {"type": "peer", "event": "left", "outcome": "cancelled"}


async def test_the_other_peer_is_informed_of_a_lost_connection(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    sender.socket.transport.abort()
    assert await receiver.receive() == {"type": "peer", "event": "lost"}


async def test_no_peer_can_join_a_finished_room(server: RunningServer) -> None:
    token = os.urandom(32)
    room = await server.room(token)
    sender = await server.join(room, token, "sender")
    await sender.send(type="leave", outcome="success")
    await close_code(sender)
    assert (await refusal(server, join_message(room, token, "receiver")))[0] == "expired"


async def test_started_from_a_receiver_is_refused(server: RunningServer) -> None:
    _, receiver = await server.pair()
    await receiver.send(type="started", method="relay")
    assert (await receiver.receive())["code"] == "bad_message"
    assert server.value("transfers_started_total") == 0


async def test_a_socket_without_a_join_is_closed_after_the_timeout(tmp_path: Path) -> None:
    async with serving(tmp_path, join_timeout=0.1) as server:
        connection = await server.connect("/api/signal")
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert connection.close_code == CLOSE_CODES["timeout"]


async def test_messages_above_the_rate_limit_are_refused(server: RunningServer) -> None:
    token = os.urandom(32)
    sender = await server.join(await server.room(token), token, "sender")
    for _ in range(400):
        await sender.send(type="candidate", data={})
    codes = set()
    with pytest.raises(ConnectionClosed):
        while True:
            codes.add((await sender.receive())["code"])
    assert codes == {"no_peer", "rate_limited"}
    assert sender.socket.close_code == CLOSE_CODES["rate_limited"]


async def test_the_rate_of_joins_of_an_address_is_limited(tmp_path: Path) -> None:
    async with serving(tmp_path, joins_per_minute=2) as server:
        answers = [await refusal(server, join_message("a" * 16, bytes(32), "sender")) for _ in range(3)]
        assert [code for code, _ in answers] == ["unknown_room", "unknown_room", "rate_limited"]


async def test_a_socket_from_a_page_of_another_site_is_refused(server: RunningServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await server.connect("/api/signal", origin="https://evil.example")
    assert refused.value.response.status_code == 403
    same_origin = await server.connect("/api/signal", origin=server.url)
    await same_origin.close()


async def test_the_number_of_sockets_of_an_address_is_limited(tmp_path: Path) -> None:
    async with serving(tmp_path, sockets_per_address=1) as server:
        first = await server.connect("/api/signal")
        with pytest.raises(InvalidStatus):
            await server.connect("/api/signal")
        await first.close()
        await server.wait_for_value("active_connections", 0, type="websocket")
        await (await server.connect("/api/signal")).close()


async def test_a_room_expires(tmp_path: Path) -> None:
    async with serving(tmp_path, room_lifetime=1) as server:
        sender, receiver = await server.pair()
        for peer in (sender, receiver):
            assert (await peer.receive())["code"] == "expired"
            assert await close_code(peer) == CLOSE_CODES["expired"]
        await server.wait_for_value("device_connections", 0, device_type="cli")
        assert not server.context.rooms.live


async def test_gauges_count_open_sockets(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    assert server.value("active_connections", type="websocket") == 2
    assert server.value("device_connections", device_type="cli") == 2
    await sender.socket.close()
    await receiver.socket.close()
    await server.wait_for_value("active_connections", 0, type="websocket")
    await server.wait_for_value("device_connections", 0, device_type="cli")


async def test_compression_is_not_negotiated(server: RunningServer) -> None:
    import websockets

    url = server.url.replace("http", "ws", 1) + "/api/signal"
    async with websockets.connect(url, compression="deflate") as connection:
        assert connection.response is not None
        assert "sec-websocket-extensions" not in connection.response.headers


async def test_a_pair_that_waits_for_a_confirmation_is_not_queued(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    await server.wait_for_value("transfer_queue_depth", 1)
    await receiver.send(type="confirmation", state="pending")
    assert await sender.receive() == {"type": "confirmation", "state": "pending"}
    assert server.value("transfer_queue_depth") == 0
    await receiver.send(type="confirmation", state="given")
    assert await sender.receive() == {"type": "confirmation", "state": "given"}
    assert server.value("transfer_queue_depth") == 1
    await sender.send(type="started", method="p2p")
    await server.wait_for_value("transfer_queue_depth", 0)
    for direction in ("in", "out"):
        assert server.value("signaling_messages_total", type="other", direction=direction) >= 2


async def test_both_peers_get_the_limit_of_a_confirmation(tmp_path: Path) -> None:
    async with serving(tmp_path, confirmation_limit=7) as server:
        sender, receiver = await server.pair()
        assert sender.joined["confirmation_limit"] == receiver.joined["confirmation_limit"] == 7
        await receiver.send(type="confirmation", state="pending")
        await sender.receive()
        clock = server.context.rooms.clock
        server.context.rooms.clock = lambda: clock() + 6
        await server.context.rooms.run_due_tasks()
        assert server.value("transfer_queue_depth") == 0
        server.context.rooms.clock = lambda: clock() + 8
        await server.context.rooms.run_due_tasks()
        assert server.value("transfer_queue_depth") == 1


async def test_a_sender_that_rejoins_gets_the_pending_confirmation(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    await receiver.send(type="confirmation", state="pending")
    await sender.receive()
    room, token = server.made[-1]
    rejoined = await server.join(room, token, "sender", rejoin_key=sender.joined["rejoin_key"])
    assert await rejoined.receive() == {"type": "confirmation", "state": "pending"}
    assert server.value("transfer_queue_depth") == 0


async def test_a_confirmation_ends_when_the_receiver_leaves(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    await receiver.send(type="confirmation", state="pending")
    await sender.receive()
    receiver.socket.transport.abort()
    await sender.receive()
    room, token = server.made[-1]
    await server.join(room, token, "receiver")
    await server.wait_for_value("transfer_queue_depth", 1)
    assert server.value("transfer_queue_depth") == 1, "the pair waits for its transfer, not for an answer"


async def test_a_confirmation_from_a_sender_is_refused(server: RunningServer) -> None:
    sender, _ = await server.pair()
    await sender.send(type="confirmation", state="pending")
    assert (await sender.receive())["code"] == "bad_message"


async def test_an_unknown_confirmation_state_is_refused(server: RunningServer) -> None:
    _, receiver = await server.pair()
    await receiver.send(type="confirmation", state="declined")
    assert (await receiver.receive())["code"] == "bad_message"


async def test_a_sender_that_rejoins_gets_the_outcome_of_a_receiver_that_left(
    server: RunningServer,
) -> None:
    sender, receiver = await server.pair()
    room, token = server.made[-1]
    sender.socket.transport.abort()
    assert await receiver.receive() == {"type": "peer", "event": "lost"}
    await receiver.send(type="leave", outcome="cancelled")
    await close_code(receiver)
    rejoined = await server.join(room, token, "sender")
    assert await rejoined.receive() == {"type": "peer", "event": "left", "outcome": "cancelled"}
    await server.join(room, token, "receiver")  # another receiver with the same link
    assert await rejoined.receive() == {"type": "peer", "event": "joined"}
    again = await server.join(room, token, "sender", rejoin_key=rejoined.joined["rejoin_key"])
    assert again.joined["peer"]
    await again.send(type="offer", data={})
