"""Log records of transfers and connections: identified by correlation id, without rooms or addresses."""

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
    """The records of the process, not scrubbed: the server itself must not log private data."""
    monkeypatch.setattr(scrubbing, "scrub", lambda value: value)
    sink = MemorySink()
    configure(MonitoringSettings.load(), sinks=[sink])
    yield sink
    configure(MonitoringSettings.load())


def records(sink: MemorySink, *loggers: str) -> list[dict[str, Any]]:
    flush()
    found = [orjson.loads(line) for line in sink.lines]
    return [record for record in found if not loggers or record["logger"] in loggers]


async def test_a_transfer_is_logged_with_its_correlation_id_only(
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
    transfers = records(sink, "transfer")
    assert [(record["message"], record["method"]) for record in transfers] == [
        ("Transfer started", "p2p"),
        ("Transfer finished", "p2p"),
    ]
    assert {record["correlation_id"] for record in transfers} == {sender.joined["correlation_id"]}
    joined = [record for record in records(sink, "connection") if record["message"] == "Peer joined"]
    assert [record["role"] for record in joined] == ["sender", "receiver"]
    assert {record["correlation_id"] for record in joined} == {sender.joined["correlation_id"]}
    logged = str(records(sink))
    for private in (sender.joined["room"], sender.joined["rejoin_key"], sender.joined["relay_ticket"]):
        assert private not in logged
    assert '"WebSocket' not in logged


async def test_a_refused_socket_is_logged_by_the_security_logger(
    sink: MemorySink, server: RunningServer
) -> None:
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


async def test_uvicorn_s_records_have_the_same_format(sink: MemorySink, server: RunningServer) -> None:
    (started,) = [record for record in records(sink, "uvicorn.error") if "startup" in record["message"]][:1]
    assert (started["service"], started["level"]) == ("tallow", "info")
