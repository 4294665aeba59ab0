"""A server process that cannot be reached: the failure is logged, and the client is told to try again."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from support.transfers.server import listener
from tallow.app.server.cluster.forwarding import RequestForwarder
from tallow.app.server.cluster.room_directory import NodeAddress
from tallow.app.server.transport.responses import ApiError
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.testing import captured_logs

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/api/telemetry",
    "query_string": b"",
    "headers": [],
    "client": ("127.0.0.1", 1),
}


async def test_a_request_to_a_dead_process_is_logged() -> None:
    with listener() as bound:
        dead = f"127.0.0.1:{bound.getsockname()[1]}"
        bound.close()
    forwarder = RequestForwarder("0123456789abcdef")
    REPEATS.clear()
    with captured_logs() as logs, pytest.raises(ApiError) as raised:
        await forwarder.forward_request(Request(SCOPE), b"{}", NodeAddress(dead))
    assert raised.value.status == 503
    record = next(one for one in logs.records if one["message"] == "Another server process cannot be reached")
    assert (record["level"], record["error_type"]) == ("error", "network")
    assert record["error"]["type"].endswith("ConnectError")
    assert dead not in logs.text
