"""Spans and contexts: with and without a transaction, in every form, with results and without identities."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sentry_sdk

from tallow.monitoring import sentry as ours
from tallow.monitoring.sentry import context
from tallow.monitoring.sentry.performance_monitoring import (
    MonitoredSpan,
    monitor_api_call,
    monitor_connection,
    monitor_crypto,
    monitor_transfer,
)
from tallow.monitoring.testing import FakeSentry

ID = "0123456789abcdef0123456789abcdef"
Start = Callable[..., None]


def only_transaction(server: FakeSentry) -> dict[str, Any]:
    """The one transaction that arrived."""
    ours.flush(10)
    (transaction,) = server.payloads("transaction")
    found: dict[str, Any] = transaction
    return found


@pytest.mark.parametrize(
    ("monitored", "op", "name", "data"),
    [
        (
            lambda: monitor_transfer(ID, 5e6, "p2p"),
            "transfer",
            "transfer",
            {"transfer_id": ID, "size": "1mb_10mb", "method": "p2p"},
        ),
        (lambda: monitor_transfer("holiday.zip"), "transfer", "transfer", {}),
        (
            lambda: monitor_crypto("encrypt", "aes_256_gcm", 10),
            "crypto",
            "crypto encrypt",
            {"algorithm": "aes_256_gcm", "size": "under_1mb"},
        ),
        (lambda: monitor_connection("webrtc", "direct"), "connection", "connect webrtc", {"path": "direct"}),
        (
            lambda: monitor_api_call("get", "/api/rooms/{id}?token=x"),
            "http.client",
            "GET /api/rooms/{id}",
            {},
        ),
        (
            lambda: monitor_api_call("post", "/api/rooms?token=x", incoming=True),
            "http.server",
            "POST /api/rooms",
            {},
        ),
    ],
)
def test_each_kind_of_work_is_a_transaction_of_its_own(
    start: Start,
    server: FakeSentry,
    monitored: Callable[[], MonitoredSpan],
    op: str,
    name: str,
    data: dict[str, Any],
) -> None:
    start()
    with monitored():
        pass
    transaction = only_transaction(server)
    trace = transaction["contexts"]["trace"]
    assert (transaction["transaction"], trace["op"], trace["status"]) == (name, op, "ok")
    assert trace["data"].items() >= (data | {"result": "success"}).items()
    assert "transfer_id" in data or "transfer_id" not in trace["data"]


def test_inside_a_transaction_the_work_is_a_span(start: Start, server: FakeSentry) -> None:
    start()
    with monitor_transfer(), monitor_crypto("keygen"):
        pass
    (span,) = only_transaction(server)["spans"]
    assert (span["op"], span["description"]) == ("crypto", "crypto keygen")


def test_a_request_that_a_framework_reports_is_not_reported_twice(start: Start, server: FakeSentry) -> None:
    start()
    transaction = sentry_sdk.start_transaction(op="http.server", name="/api/rooms")
    with transaction, sentry_sdk.start_span(op="middleware"):
        with pytest.raises(ValueError, match="full"), monitor_api_call("POST", "/api/rooms", incoming=True):
            raise ValueError("full")
        transaction.set_http_status(503)
    found = only_transaction(server)
    trace = found["contexts"]["trace"]
    assert [span["op"] for span in found["spans"]] == ["middleware"]
    assert (trace["data"]["result"], trace["data"]["error_type"]) == ("failed", "ValueError")
    assert trace["data"]["http.response.status_code"] == 503


@pytest.mark.parametrize(
    ("error", "status", "result"),
    [
        (ValueError("/home/alice"), "internal_error", "failed"),
        (asyncio.CancelledError(), "cancelled", "cancelled"),
    ],
)
async def test_the_result_is_reported_and_the_exception_propagates(
    start: Start, server: FakeSentry, error: BaseException, status: str, result: str
) -> None:
    start()
    with pytest.raises(type(error)):
        async with monitor_transfer():
            raise error
    trace = only_transaction(server)["contexts"]["trace"]
    assert (trace["status"], trace["data"]["result"]) == (status, result)
    assert trace["data"]["error_type"] == type(error).__name__
    assert "alice" not in server.text


async def test_a_decorator_monitors_each_of_several_concurrent_calls(
    start: Start, server: FakeSentry
) -> None:
    together = asyncio.Barrier(3)

    @monitor_connection("relay")
    async def connect() -> str:
        """Connects."""
        await together.wait()
        return "connected"

    @monitor_crypto("decrypt")
    def decrypt(value: int) -> int:
        return value + 1

    start()
    assert await asyncio.gather(*(connect() for _ in range(3))) == ["connected"] * 3
    assert decrypt(1) == 2
    assert connect.__doc__ == "Connects."
    ours.flush(10)
    names = sorted(one["transaction"] for one in server.payloads("transaction"))
    assert names == ["connect relay"] * 3 + ["crypto decrypt"]


def test_contexts_hold_classes_and_no_identities(start: Start, server: FakeSentry) -> None:
    start()
    with sentry_sdk.isolation_scope():
        context.set_transfer_context("tax.pdf", size_bytes=2e9, mime_type="application/pdf", method="relay")
        context.set_crypto_context("keygen", algorithm="x25519_mlkem768")
        context.set_connection_context("webrtc", path="relay", strategy="turn", state="connected")
        sentry_sdk.capture_message("hello")
    ours.flush(10)
    (event,) = server.payloads("event")
    contexts = event["contexts"]
    assert contexts["transfer"] == {"size": "over_1gb", "file_type": "application", "method": "relay"}
    assert contexts["crypto"] == {"operation": "keygen", "algorithm": "x25519_mlkem768"}
    assert contexts["connection"] == {
        "kind": "webrtc",
        "path": "relay",
        "strategy": "turn",
        "state": "connected",
    }


def test_a_failing_sdk_neither_raises_nor_prevents_the_work(
    monkeypatch: pytest.MonkeyPatch, start: Start, server: FakeSentry
) -> None:
    called: list[str] = []

    def failing(name: str) -> Callable[..., Any]:
        def fail(*_args: Any, **_options: Any) -> Any:
            called.append(name)
            raise RuntimeError("the SDK is broken")

        return fail

    start()
    for name in ("start_transaction", "set_context"):
        monkeypatch.setattr(sentry_sdk, name, failing(name))
    with monitor_transfer(object(), -1):
        context.set_crypto_context("keygen")
        called.append("work")
    ours.flush(10)
    assert called == ["start_transaction", "set_context", "work"]
    assert server.items == []
