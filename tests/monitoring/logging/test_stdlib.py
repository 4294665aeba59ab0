"""Standard-library records have the same fields and pass the same scrubber."""

from __future__ import annotations

import io
import logging as standard
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from support.privacy.canary import CANARY
from tallow.monitoring import instrument
from tallow.monitoring.lifecycle import error_hooks as errors
from tallow.monitoring.lifecycle.background_sender import BackgroundSender
from tallow.monitoring.logging import stdlib
from tallow.monitoring.testing import CapturedLogs, assert_absent, fresh_metrics


@pytest.fixture
def logs() -> Iterator[CapturedLogs]:
    root = standard.getLogger()
    before, level = list(root.handlers), root.level
    logs = CapturedLogs("info")
    stdlib.release()
    stdlib.capture(logs.pipeline)
    yield logs
    stdlib.release()
    root.handlers[:] = before
    root.setLevel(level)


def test_a_standard_library_record_has_the_standard_fields(logs: CapturedLogs) -> None:
    standard.getLogger("uvicorn.error").info("Listening on %s", "port 3000", extra={"workers": 2})
    record = logs.last
    assert record["message"] == "Listening on port 3000"
    assert (record["logger"], record["level"], record["workers"]) == ("uvicorn.error", "info", 2)
    assert list(record)[:7] == [
        "timestamp",
        "level",
        "logger",
        "message",
        "service",
        "environment",
        "version",
    ]
    assert "taskName" not in record


def test_the_name_of_a_logger_is_scrubbed(logs: CapturedLogs) -> None:
    standard.getLogger(f"users.{CANARY}").warning("Seen")
    assert logs.last["logger"] == "users.[secret]"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_printing_handler_prints_nothing_whenever_it_is_added(
    logs: CapturedLogs, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(sys, stream, printed)
    late = standard.getLogger("shop.engine")
    late.addHandler(standard.StreamHandler(printed))
    late.propagate = False
    standard.getLogger("shop.engine.orders").warning("First message")
    late.warning("Second message")
    assert printed.getvalue() == ""
    assert [record["message"] for record in logs.records] == ["First message", "Second message"]


async def test_an_access_record_holds_the_route_but_neither_path_nor_client(
    logs: CapturedLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records are created as by uvicorn, in the context of the request."""
    monkeypatch.setattr(standard.getLogger("uvicorn.error"), "filters", [])  # Tallow's server has one

    async def share(request: Request) -> PlainTextResponse:
        return PlainTextResponse("shared")

    async def noted(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                path = f"{scope['path']}?{scope['query_string'].decode()}"
                arguments = ("10.1.2.3:5000", scope["method"], path, "1.1", message["status"])
                standard.getLogger("uvicorn.access").warning('%s - "%s %s HTTP/%s" %d', *arguments)
                standard.getLogger("uvicorn.error").warning(
                    '%s - "WebSocket %s" %d', "10.1.2.3:5000", path, 403
                )
            await send(message)

        await app(scope, receive, sending)

    app = instrument(Starlette(routes=[Route("/share/{name}", share)]), metrics=fresh_metrics())
    transport = httpx.ASGITransport(noted)
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
        await client.get("/share/tax%20return.pdf?name=alice")
        await client.get("/api/health/liveness")
        await client.get("/nothing/tax.pdf")
    assert [record["message"] for record in logs.records] == [
        *("GET /share/{name} 200", "WebSocket /share/{name} 403"),
        *("GET /api/health/liveness 200", "WebSocket /api/health/liveness 403"),
        *("GET other 404", "WebSocket other 403"),
    ]
    assert logs.records[0]["status"] == 200
    assert_absent(["10.1.2.3", "tax return", "tax.pdf"], logs.text)


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (20, "info"),
        (25, "info"),
        (30, "warning"),
        (35, "warning"),
        (40, "error"),
        (50, "fatal"),
        (99, "fatal"),
    ],
)
def test_numeric_levels_are_mapped_to_the_five_levels(logs: CapturedLogs, number: int, level: str) -> None:
    standard.getLogger("any").log(number, "Something")
    assert logs.last["level"] == level


def test_records_below_the_level_are_not_written(logs: CapturedLogs) -> None:
    loud = standard.getLogger("loud")
    loud.setLevel(standard.DEBUG)
    loud.debug("Detail")
    assert logs.records == []


def test_an_exception_has_its_stack_and_no_source_text(logs: CapturedLogs) -> None:
    try:
        raise ValueError("no")
    except ValueError:
        standard.getLogger("any").exception("Failed")
    assert logs.last["error"]["type"] == "ValueError"
    assert "raise ValueError" not in logs.last["error"]["stack"]


def test_a_message_whose_arguments_do_not_fit_is_logged_without_them(logs: CapturedLogs) -> None:
    # Passed to the handler itself: the handler of pytest would raise.
    record = standard.LogRecord("any", standard.WARNING, __file__, 1, "%d apples", ("no",), None)
    stdlib.BridgeHandler(logs.pipeline).handle(record)
    assert (logs.last["message"], logs.last["arguments"]) == ("%d apples", ["no"])


def test_handlers_of_others_stay_where_they_are(logs: CapturedLogs) -> None:
    noisy = standard.getLogger("noisy")
    noisy.propagate = False
    stored = io.StringIO()
    kept: list[standard.Handler] = [standard.StreamHandler(sys.stderr), standard.StreamHandler(stored)]
    try:
        for handler in kept:
            noisy.addHandler(handler)
        stdlib.capture(logs.pipeline)
        noisy.warning("Seen by %s", CANARY)
        assert noisy.handlers == kept
        assert [record["message"] for record in logs.records] == ["Seen by [secret]"]
        assert stored.getvalue() == "Seen by [secret]\n"
        stdlib.release()
        noisy.warning("As before %s", CANARY)
        assert stored.getvalue().endswith(f"As before {CANARY}\n")
    finally:
        noisy.handlers.clear()
        noisy.propagate = True


def test_capturing_twice_writes_once(logs: CapturedLogs) -> None:
    stdlib.capture(logs.pipeline)
    standard.getLogger("any").warning("Once")
    assert len(logs.records) == 1


def test_records_of_a_sender_s_own_http_client_are_not_logged(logs: CapturedLogs) -> None:
    def send() -> None:
        sender.take()
        standard.getLogger("httpx").error("Sent")

    sender: BackgroundSender[str] = BackgroundSender(
        "test", send, on_drop=lambda _reason, _count: None, max_items=1
    )
    sender.put("an item")
    assert sender.flush(10)
    sender.close(10)
    standard.getLogger("httpx").error("The host's own")
    assert [record["message"] for record in logs.records] == ["The host's own"]


async def test_an_unhandled_exception_is_logged_once_with_its_correlation_id(
    logs: CapturedLogs,
) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("the cellar is flooded")

    unhandled = stdlib.UnhandledErrorLogger(logs.pipeline)
    errors.add_listener(unhandled)
    try:
        transport = httpx.ASGITransport(
            app=instrument(broken, route_of=lambda _scope: None), raise_app_exceptions=True
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            with pytest.raises(RuntimeError) as caught:
                await client.get("/", headers={"x-request-id": "ab" * 16})
        standard.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=caught.value)
    finally:
        errors.remove_listener(unhandled)
    records = logs.from_loggers("api", "uvicorn.error")
    assert [(r["message"], r["correlation_id"]) for r in records] == [("Unhandled exception", "ab" * 16)]
    assert records[0]["error"]["message"] == "the cellar is flooded"
