"""Random input does not make the server fail, hang, or leak."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection
from websockets.exceptions import ConnectionClosed

from support.registries import tallow_registry
from support.transfers.server import RunningServer, join_message, serving
from tallow.app.server.app import create_app
from tallow.app.server.limits.report_validation import BadReportError, validate_report
from tallow.app.server.settings import ServerSettings
from tallow.app.server.transport.messages import WebSocketRefusedError, parse_relay, parse_signaling
from tallow.app.wire import CLOSE_CODES, REPORTED_METRICS, ROLES, Role
from tallow.monitoring.metrics import Metrics

pytestmark = pytest.mark.slow

FUZZ_SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
kinds = st.sampled_from(["join", "offer", "answer", "candidate", "started", "leave", "relay", "x"])
fields = st.sampled_from(
    ["version", "room", "token", "role", "device", "rejoin_key", "data", "method", "outcome", "ticket"]
)
messages = st.builds(
    lambda kind, rest: {"type": kind} | rest, kinds, st.dictionaries(fields, values, max_size=6)
)
texts = st.text(max_size=200) | values.map(json.dumps) | messages.map(json.dumps)


@given(texts)
def test_parsing_returns_a_message_or_refuses_it(text: str) -> None:
    for parser in (parse_signaling, parse_relay):
        try:
            parser(text)
        except WebSocketRefusedError as refusal:
            assert refusal.code in CLOSE_CODES
            assert "\n" not in refusal.message


labels = st.dictionaries(
    st.text(max_size=8) | st.sampled_from(["type", "severity", "method", "status"]), scalars, max_size=3
)
rows = st.lists(st.fixed_dictionaries({"labels": labels, "value": scalars}) | values, max_size=3)
reports = values | st.fixed_dictionaries(
    {
        "version": st.just(1) | scalars,
        "metrics": st.dictionaries(st.sampled_from(sorted(REPORTED_METRICS)), rows, max_size=3),
    },
    optional={"outcome": scalars},
)


@given(reports, st.sampled_from(ROLES), st.floats(0, 1e6))
def test_a_report_is_valid_or_refused_in_one_line(body: Any, role: Role, age: float) -> None:
    try:
        validate_report(body, role, age)
    except BadReportError as error:
        assert "\n" not in str(error)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    without_limits = {"joins_per_minute": 10**6, "rooms_per_minute": 10**6, "reports_per_minute": 10**6}
    async with serving(tmp_path, **without_limits) as running:
        yield running


async def test_sockets_answer_or_close_on_any_input(server: RunningServer) -> None:
    loop = asyncio.get_running_loop()

    async def send_all(path: str, sent: list[str | bytes], joined: bool) -> None:
        connection = await server.connect(path)
        try:
            if joined:
                token = b"t" * 32
                room = await server.room(token)
                await connection.send(json.dumps(join_message(room, token, "sender")))
                assert json.loads(await connection.recv())["type"] == "joined"
            for message in sent:
                await connection.send(message)
        except ConnectionClosed as closed:
            assert closed.rcvd
            assert closed.rcvd.code in {1000, *CLOSE_CODES.values()}
        finally:
            await connection.close()

    @FUZZ_SETTINGS
    @given(
        st.sampled_from(["/api/signal", "/api/relay"]),
        st.lists(texts | st.binary(max_size=300), max_size=5),
        st.booleans(),
    )
    def fuzz(path: str, sent: list[str | bytes], joined: bool) -> None:
        sending = send_all(path, sent, joined and path == "/api/signal")
        asyncio.run_coroutine_threadsafe(sending, loop).result(120)

    await asyncio.to_thread(fuzz)
    await server.wait_for_value("active_connections", 0, type="websocket")
    assert server.value("errors_total", type="internal", severity="high") == 0
    assert not server.context.rooms.relay_tickets
    assert all(not room.members for room in server.context.rooms.live.values())


def test_the_http_api_conforms_to_its_description(tmp_path: Path) -> None:
    """No response is a 500 or missing in the description."""
    without_limits = ServerSettings.load(data_dir=tmp_path, rooms_per_minute=10**6, reports_per_minute=10**6)
    registry = tallow_registry()
    app = create_app(without_limits, metrics=Metrics(registry))
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)

    statuses: set[int] = set()
    for result, mode in itertools.product(list(schema.get_all_operations()), GenerationMode):

        @FUZZ_SETTINGS
        @given(case=result.ok().as_strategy(generation_mode=mode))
        def call(case: schemathesis.Case[Any]) -> None:
            response = case.call()
            statuses.add(response.status_code)
            # This check does not accept 413 as a rejection.
            case.validate_response(response, excluded_checks=[negative_data_rejection])

        with suppress(Unsatisfiable):  # a request without parameters cannot be invalid
            call()
    assert {200, 201, 400, 401} <= statuses
    assert max(statuses) < 500
    assert registry.value("errors_total", type="internal", severity="high") == 0
