"""What an idle socket keeps in memory: the room's state, and nothing that only its start needed."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator

from support.transfers.server import RunningServer, join_message
from tallow.app.server.transport.movable_websocket import MovableWebSocket


def held_lists(marker: bytes) -> Iterator[list[object]]:
    """The lists of headers in this process of which one has the value."""
    for found in gc.get_objects():
        if type(found) is list and any(isinstance(item, tuple) and marker in item for item in found):
            yield found


async def test_a_joined_socket_keeps_no_header_of_its_handshake(server: RunningServer) -> None:
    token, marker = os.urandom(32), os.urandom(16).hex()
    room = await server.room(token)
    connection = await server.connect("/api/signal", additional_headers={"X-Long": marker})
    gc.collect()
    assert [*held_lists(marker.encode())]
    await connection.send(json.dumps(join_message(room, token, "sender")))
    assert json.loads(await connection.recv())["type"] == "joined"
    gc.collect()
    assert [*held_lists(marker.encode())] == []
    await connection.close()


async def test_a_socket_has_no_dictionary_of_attributes(server: RunningServer) -> None:
    """With more than 30 attributes it would take 1.6 kB. A new uvicorn may add a few."""
    sender, receiver = await server.pair()
    sockets = [found for found in gc.get_objects() if type(found) is MovableWebSocket]
    assert len(sockets) >= 2
    assert all(len(vars(found)) < 10 for found in sockets)
    for peer in (sender, receiver):
        await peer.socket.close()
