"""Records of uvicorn about single connections: left out or summarised."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tallow.monitoring.http import uvicorn_records
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.testing import CapturedLogs, captured_logs

PROTOCOL = "/site-packages/uvicorn/protocols/http/h11_impl.py"
WEBSOCKETS = r"C:\site-packages\websockets\protocol.py"
SERVER = "/site-packages/uvicorn/server.py"
LOGGER = logging.getLogger("uvicorn.error")


@pytest.fixture(autouse=True)
def logs() -> Iterator[CapturedLogs]:
    REPEATS.clear()
    uvicorn_records.limit_connection_records()
    with captured_logs() as captured:
        yield captured
    LOGGER.removeFilter(uvicorn_records._is_written)
    REPEATS.clear()


def write(
    level: int, message: str, path: str, *arguments: object, error: BaseException | None = None
) -> None:
    exc_info = None if error is None else (type(error), error, None)
    LOGGER.handle(LOGGER.makeRecord(LOGGER.name, level, path, 1, message, arguments, exc_info))


def test_a_repeated_record_is_summarised(logs: CapturedLogs) -> None:
    for _ in range(1000):
        write(logging.WARNING, "Invalid HTTP request received.", PROTOCOL)
    REPEATS.flush()
    found = [(record["level"], record["reason"], record.get("repeated")) for record in logs.records]
    assert found == [
        ("warning", "Invalid HTTP request received.", None),
        ("warning", "Invalid HTTP request received.", 999),
    ]


def test_changing_texts_are_bounded(logs: CapturedLogs) -> None:
    for number in range(1000):
        write(logging.INFO, "connection rejected (%d %s)", WEBSOCKETS, number, "Bad Request")
    REPEATS.flush()
    assert len(logs.records) < 70
    assert sum(record.get("repeated", 1) for record in logs.records) == 1000


def test_connections_without_facts_are_left_out(logs: CapturedLogs) -> None:
    write(logging.INFO, "connection open", WEBSOCKETS)
    write(logging.INFO, "connection closed", WEBSOCKETS)
    for answer in ("[accepted]", "403"):
        write(logging.INFO, f'%s - "WebSocket %s" {answer}', PROTOCOL, "198.51.100.7:1", "/api/signal")
    REPEATS.flush()
    assert logs.records == []


def test_exceptions_and_records_of_the_server_stay(logs: CapturedLogs) -> None:
    write(logging.ERROR, "Exception in ASGI application", PROTOCOL, error=ValueError("broken"))
    write(logging.INFO, "Application startup complete.", SERVER)
    assert [record["message"] for record in logs.records] == [
        "Exception in ASGI application",
        "Application startup complete.",
    ]
