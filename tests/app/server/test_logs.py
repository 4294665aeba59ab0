"""What the server logs: transfers and connections by correlation id, and nobody's rooms or addresses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from support.transfers.server import RunningServer
from tallow.monitoring.logging import configure, flush, scrubbing
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.testing import MemorySink


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemorySink]:
    """What the process logs. Nothing is scrubbed: the server must not need it."""
    monkeypatch.setattr(scrubbing, "scrub", lambda value: value)
    sink = MemorySink()
    configure(MonitoringSettings.load(), sinks=[sink])
    yield sink
    configure(MonitoringSettings.load())


def records(sink: MemorySink, *loggers: str) -> list[dict[str, Any]]:
    flush()
    found = [orjson.loads(line) for line in sink.lines]
    return [record for record in found if not loggers or record["logger"] in loggers]


async def test_a_transfer_is_told_by_its_correlation_id_and_nothing_else(
    sink: MemorySink, server: RunningServer
) -> None:
    sender, receiver = await server.pair()
    await sender.send(type="started", method="p2p")
    await sender.send(type="leave", outcome="success")
    with pytest.raises(ConnectionClosed):
        await sender.receive()
    await receiver.socket.close()
    for room in list(server.context.rooms.live.values()):
        await server.context.rooms.conclude(room, "success")
    told = records(sink, "transfer")
    assert [(record["message"], record["method"]) for record in told] == [
        ("Transfer started", "p2p"),
        ("Transfer finished", "p2p"),
    ]
    assert {record["correlation_id"] for record in told} == {sender.joined["correlation_id"]}
    joined = [record for record in records(sink, "connection") if record["message"] == "Peer joined"]
    assert [record["role"] for record in joined] == ["sender", "receiver"]
    assert {record["correlation_id"] for record in joined} == {sender.joined["correlation_id"]}
    everything = str(records(sink))
    for private in (sender.joined["room"], sender.joined["rejoin_key"], sender.joined["relay_ticket"]):
        assert private not in everything
    assert '"WebSocket' not in everything


async def test_a_refused_socket_is_a_matter_of_security(sink: MemorySink, server: RunningServer) -> None:
    for endpoint in ("signal", "relay"):
        connection = await server.connect(f"/api/{endpoint}")
        await connection.send(json.dumps({"type": "nonsense"}))
        with pytest.raises(ConnectionClosed):
            while True:
                await connection.recv()
    await asyncio.sleep(0)
    refused = records(sink, "security")
    assert [(record["endpoint"], record["reason"]) for record in refused] == [
        ("signal", "bad_message"),
        ("relay", "bad_message"),
    ]


async def test_uvicorn_s_own_records_come_in_the_same_shape(sink: MemorySink, server: RunningServer) -> None:
    (started,) = [record for record in records(sink, "uvicorn.error") if "startup" in record["message"]][:1]
    assert (started["service"], started["level"]) == ("tallow", "info")
