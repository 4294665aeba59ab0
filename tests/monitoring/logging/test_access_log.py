"""Records of servers and frameworks hold the route of a request, and nothing else of what a client sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tallow.monitoring import request_context
from tallow.monitoring.logging.access_log import is_request, render_access_record

PATH = "/share/Steuer 2025 (Alice)'s.pdf"
SENT = "/share/Steuer%202025%20%28Alice%29%27s.pdf"
ROUTE = "/share/<str:name>"
SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "GET",
    "path": PATH,
    "raw_path": SENT.encode(),
    "query_string": b"token=abc",
    "root_path": "",
    "headers": [],
}

UVICORN = ("uvicorn.access", logging.INFO, '%s - "%s %s HTTP/%s" %d', ("10.0.0.1:1", "GET", SENT, "1.1", 200))
HYPERCORN = (
    "hypercorn.access",
    logging.INFO,
    '%(h)s "%(R)s" %(s)s "%(f)s" "%(a)s"',
    ({"h": "10.0.0.1:1", "m": "GET", "U": PATH, "R": PATH, "s": "200", "H": "1.1", "D": 1500, "a": "curl"},),
)
GUNICORN = ("gunicorn.access", logging.INFO, '"%(r)s" %(s)s', HYPERCORN[3])
GRANIAN = (
    "granian.access",
    logging.INFO,
    "[%(time)s] %(path)s",
    (
        {
            "addr": "10.0.0.1",
            "time": "now",
            "method": "GET",
            "path": PATH,
            "query_string": "token=abc",
            "status": 200,
            "protocol": "HTTP/1.1",
            "dt_ms": 1.5,
        },
    ),
)
Case = tuple[str, int, str, tuple[Any, ...]]
ACCESS: list[Case] = [UVICORN, HYPERCORN, GUNICORN, GRANIAN]


def record(case: Case) -> logging.LogRecord:
    name, level, message, arguments = case
    return logging.getLogger(name).makeRecord(name, level, "server.py", 1, message, arguments, None)


@pytest.fixture(autouse=True)
def no_request_before() -> None:
    """The tests run in one context, in which the request of the previous test has ended."""
    with request_context.bind(SCOPE | {"path": "/-", "raw_path": b"/-"}):
        pass


@pytest.fixture
def request_() -> Iterator[None]:
    with request_context.bind(SCOPE, lambda _scope: ROUTE):
        yield


@pytest.mark.usefixtures("request_")
@pytest.mark.parametrize("case", ACCESS, ids=lambda case: case[0])
def test_an_access_record_names_method_route_and_status(case: Case) -> None:
    rendered = render_access_record(record(case))
    assert rendered is not None
    message, facts = rendered
    assert message == f"GET {ROUTE} 200"
    assert facts.pop("duration_ms", 1.5) == 1.5
    assert facts == {"method": "GET", "route": ROUTE, "status": 200, "http_version": "1.1"}


@pytest.mark.parametrize("case", ACCESS, ids=lambda case: case[0])
def test_an_access_record_of_a_request_that_no_route_took_says_other(case: Case) -> None:
    rendered = render_access_record(record(case))
    assert rendered is not None
    assert rendered[0] == "GET other 200"


@pytest.mark.parametrize("case", [GUNICORN, GRANIAN], ids=lambda case: case[0])
def test_a_record_after_the_response_names_the_route_of_the_same_path_only(case: Case) -> None:
    with request_context.bind(SCOPE, lambda _scope: ROUTE):
        pass
    rendered = render_access_record(record(case))
    assert rendered is not None
    assert rendered[0] == f"GET {ROUTE} 200"
    with request_context.bind(SCOPE | {"path": "/", "raw_path": b"/"}, lambda _scope: "/"):
        pass
    rendered = render_access_record(record(case))
    assert rendered is not None
    assert rendered[0] == "GET other 200"


def test_an_unknown_method_is_other() -> None:
    name, level, message, arguments = UVICORN
    rendered = render_access_record(record((name, level, message, ("10.0.0.1:1", "ALICE", *arguments[2:]))))
    assert rendered is not None
    assert rendered[0] == "other other 200"


WARNINGS: list[tuple[Case, str]] = [
    (("django.request", logging.WARNING, "%s: %s", ("Not Found", PATH)), "Not Found: {}"),
    (("django.request", logging.ERROR, "Internal Server Error: %s", (PATH,)), "Internal Server Error: {}"),
    (
        ("django.request", logging.WARNING, "Method Not Allowed (%s): %s", ("GET", PATH)),
        "Method Not Allowed (GET): {}",
    ),
    (
        ("django.security.csrf", logging.WARNING, "Forbidden (%s): %s", ("CSRF cookie not set.", PATH)),
        "Forbidden (CSRF cookie not set.): {}",
    ),
    (
        ("gunicorn.error", logging.ERROR, "Error handling request %s %s", ("GET", SENT)),
        "Error handling request GET {}",
    ),
    (
        ("litestar", logging.ERROR, f"Uncaught exception (connection_type=http, path={SENT}):", ()),
        "Uncaught exception (connection_type=http, path={}):",
    ),
]


@pytest.mark.parametrize(("case", "expected"), WARNINGS)
def test_a_warning_of_a_server_or_framework_has_no_path_with_or_without_a_request(
    case: Case, expected: str
) -> None:
    before = render_access_record(record(case))
    assert before is not None
    assert before[0].startswith(expected.partition("{}")[0] + "other")
    assert "Alice" not in before[0]
    with request_context.bind(SCOPE, lambda _scope: ROUTE):
        rendered = render_access_record(record(case))
    assert rendered is not None
    assert rendered[0] == expected.format(ROUTE)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (
            (
                "gunicorn.error",
                30,
                "Invalid request from ip=10.0.0.1: Invalid HTTP request line: 'GET alice'",
                (),
            ),
            "Invalid request from ip=10.0.0.1: Invalid HTTP request line",
        ),
        (("websockets.server", logging.DEBUG, "< GET %s HTTP/1.1", (SENT,)), "Request line or header"),
        (("uvicorn.error", logging.DEBUG, "< %s: %s", ("User-Agent", "alice")), "Request line or header"),
        (
            ("django.server", logging.INFO, '"%s" %s %s', (f"GET {SENT} HTTP/1.1", "200", "5")),
            '"GET other HTTP/1.1" 200 5',
        ),
        (
            ("uvicorn.error", logging.INFO, '%s - "WebSocket %s" [accepted]', ("10.0.0.1:1", SENT)),
            "WebSocket other [accepted]",
        ),
        (
            ("uvicorn.error", logging.INFO, '%s - "WebSocket %s" %d', ("10.0.0.1:1", SENT, 403)),
            "WebSocket other 403",
        ),
    ],
)
def test_text_of_a_client_outside_a_request_is_removed(case: Case, expected: str) -> None:
    rendered = render_access_record(record(case))
    assert rendered is not None
    assert rendered[0] == expected


@pytest.mark.usefixtures("request_")
def test_the_path_of_the_current_request_is_replaced_in_every_logger_of_the_standard_library() -> None:
    for message in (f"Exception on request GET {PATH}", f"Exception on request GET {SENT}?token=abc"):
        rendered = render_access_record(record(("shop", logging.ERROR, message, ())))
        assert rendered == (f"Exception on request GET {ROUTE}", {})


def test_other_records_are_left_to_the_caller() -> None:
    messages = ("Uvicorn running on http://127.0.0.1:8000", "Using a socket unix:/run/shop.sock", "Started")
    for message in messages:
        assert render_access_record(record(("uvicorn.error", logging.INFO, message, ()))) is None
    assert render_access_record(record(("shop", logging.ERROR, "Cannot read /etc/shop.toml", ()))) is None


def test_a_request_object_is_no_context() -> None:
    assert is_request("request", object())
    assert not is_request("request", "a text of the application")
    assert not is_request("other", object())
