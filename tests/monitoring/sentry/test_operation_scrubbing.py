"""Spans, breadcrumbs and stack locals tell no path, literal, key, argument or content."""

from __future__ import annotations

import http.server
import json
import logging
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests
import sentry_sdk
import sqlalchemy
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallow.monitoring import instrument
from tallow.monitoring import sentry as ours
from tallow.monitoring.sentry import event_scrubbing
from tallow.monitoring.sentry.local_variables import without_content
from tallow.monitoring.sentry.operation_scrubbing import (
    describe_breadcrumb,
    describe_span,
    origin,
    without_literals,
    without_private_fields,
)
from tallow.monitoring.testing import FakeSentry

Start = Callable[..., None]
NAME = "ordinaryword"
"""Looks like nothing that a scrubber could recognize."""


@pytest.fixture(autouse=True)
def no_scrubber(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests show must not depend on the detectors of private data."""
    monkeypatch.setattr(event_scrubbing, "scrub", lambda value: value)


@pytest.fixture
def site() -> Iterator[str]:
    """The address of an HTTP server."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def call_httpx(url: str) -> None:
    with httpx.Client(trust_env=False) as client:
        client.get(url)


def call_requests(url: str) -> None:
    requests.get(url, timeout=10)


def call_urllib(url: str) -> None:
    urllib.request.urlopen(url, timeout=10).close()


@pytest.mark.parametrize("call", [call_httpx, call_requests, call_urllib])
def test_requests_are_sent_without_their_path(
    start: Start, server: FakeSentry, site: str, call: Callable[[str], None]
) -> None:
    start({"enable_logs": True})
    logging.getLogger("httpx").setLevel(logging.INFO)
    with sentry_sdk.start_transaction(name="work"):
        call(f"{site}/{NAME}/diary?owner={NAME}#{NAME}")
    sentry_sdk.capture_message("done")
    ours.flush(10)
    [transaction] = server.payloads("transaction")
    assert f"GET {site}" in {span["description"] for span in transaction["spans"]}
    [event] = server.payloads("event")
    assert site in {crumb.get("data", {}).get("url") for crumb in event["breadcrumbs"]["values"]}
    assert NAME not in server.text


def test_a_program_is_sent_without_its_arguments(start: Start, server: FakeSentry) -> None:
    start()
    with sentry_sdk.start_transaction(name="work"):
        subprocess.run([sys.executable, "-c", "pass", NAME], check=True, cwd="/")
    sentry_sdk.capture_message("done")
    ours.flush(10)
    [transaction] = server.payloads("transaction")
    assert {span["op"] for span in transaction["spans"]} >= {"subprocess"}
    assert NAME not in server.text


def test_statements_are_sent_without_literals(start: Start, server: FakeSentry) -> None:
    start()
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.NullPool)
    with sentry_sdk.start_transaction(name="work"), engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"SELECT '{NAME}' AS found WHERE 12 = 12 -- {NAME}"))
    sentry_sdk.capture_message("done")
    ours.flush(10)
    assert "SELECT ? AS found WHERE ? = ?" in server.text
    assert NAME not in server.text


async def test_a_request_s_client_path_and_content_are_not_sent(start: Start, server: FakeSentry) -> None:
    async def receive(request: Request) -> Response:
        body = await request.body()
        payload, form_data, rawText, attempt = body, [body], body.decode(), 3  # noqa: N806
        raise ValueError(f"{len(payload)} {len(form_data)} {len(rawText)} {attempt}")

    start({"include_local_variables": True})
    app = instrument(Starlette(routes=[Route("/files/{name}", receive, methods=["POST"])]))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
        await client.post(f"/files/{NAME}", content=NAME, headers={"User-Agent": f"{NAME}/1"})
    ours.flush(10)
    [event] = server.payloads("event")
    variables = event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["vars"]
    assert variables == {"attempt": "3"}
    assert server.payloads("transaction")
    assert NAME not in server.text


def test_the_command_line_is_not_sent(start: Start, server: FakeSentry) -> None:
    start()
    sentry_sdk.set_extra("sys.argv", [NAME])
    sentry_sdk.capture_message("done")
    ours.flush(10)
    sentry_sdk.get_isolation_scope().clear()
    assert NAME not in server.text


@pytest.mark.parametrize("name", ["uvicorn.access", "django.request", "daphne", "httpx", "gunicorn.access"])
def test_records_with_raw_paths_are_not_sent(start: Start, server: FakeSentry, name: str) -> None:
    start({"enable_logs": True})
    log = logging.getLogger(name)
    log.warning("GET /%s", NAME)
    log.error("GET /%s", NAME, extra={"link": NAME})
    sentry_sdk.capture_message("done")
    ours.flush(10)
    assert server.payloads("event")
    assert NAME not in server.text


@pytest.mark.parametrize(
    ("statement", "reduced"),
    [
        ("SELECT 'it''s'", "SELECT ?"),
        ("SELECT 'it\\'s', 1", "SELECT ?, ?"),
        ('SELECT "a b" FROM "users"', 'SELECT ? FROM "users"'),
        ('SELECT "users"."id" FROM users WHERE a = "alice"', 'SELECT "users"."id" FROM users WHERE a = ?'),
        ("SELECT $$alice$$, $tag$bob$tag$", "SELECT ?, ?"),
        ("SELECT 'cut off", "SELECT ?"),
        ("/* alice */ SELECT t1.a FROM t1 WHERE a > 12.5e3", " SELECT t1.a FROM t1 WHERE a > ?"),
        ("SELECT 1 -- alice\nFROM a", "SELECT ? \nFROM a"),
        ("SELECT a FROM b WHERE c = %s", "SELECT a FROM b WHERE c = %s"),
    ],
)
def test_literals_and_comments_of_a_statement_are_removed(statement: str, reduced: str) -> None:
    assert without_literals(statement) == reduced


@pytest.mark.parametrize(
    ("operation", "system", "text", "reduced"),
    [
        ("db.redis", "redis", f"GET '{NAME}'", "GET"),
        ("db", "redis", f"SET '{NAME}' [Filtered]", "SET"),
        ("db", "mongodb", f'{{"find": "{NAME}"}}', "other"),
        ("cache.get", "", NAME, "cache.get"),
        ("db", "postgresql", f"UPDATE a SET b = '{NAME}'", "UPDATE a SET b = ?"),
        ("db", "", "connect", "connect"),
        ("subprocess", "", f"/usr/bin/ls /{NAME}", "ls"),
        ("subprocess", "", f"'/{NAME}'", "other"),
        ("file.read", "", f"/{NAME}", "file.read"),
        ("http.client", "", f"GET https://host:8443/{NAME}?a", "GET https://host:8443"),
        ("http.client", "", "GET /api/rooms/{id}", "GET /api/rooms/{id}"),
        ("websocket", "", f"wss://user:{NAME}@host/{NAME}", "wss://host"),
    ],
)
def test_the_description_of_a_span_is_reduced(operation: str, system: str, text: str, reduced: str) -> None:
    span = describe_span({"op": operation, "description": text, "data": {"db.system": system}})
    assert span["description"] == reduced


def test_breadcrumbs_of_commands_are_reduced() -> None:
    crumbs = [("redis", f"GET '{NAME}'"), ("subprocess", f"ls {NAME}"), ("query", f"SELECT '{NAME}'")]
    reduced = [describe_breadcrumb({"category": kind, "message": text})["message"] for kind, text in crumbs]
    assert reduced == ["GET", "ls", "SELECT ?"]


def test_fields_with_paths_keys_and_facts_about_the_client_are_left_out() -> None:
    private = ("user_agent.original", "http.target", "url.path", "client.address", "redis.key", "cwd", "path")
    data = dict.fromkeys(private, NAME) | {
        "url.full": f"https://host/{NAME}",
        "http.response.status_code": 200,
    }
    assert without_private_fields(data) == {"url.full": "https://host", "http.response.status_code": 200}
    assert without_private_fields({"path": "relay"}) == {"path": "relay"}


@pytest.mark.parametrize(
    ("url", "reduced"), [("http://[::1", "other"), ("/path", "other"), ("http://a@h/x", "http://h")]
)
def test_the_origin_of_a_url_is_its_scheme_and_host(url: str, reduced: str) -> None:
    assert origin(url) == reduced


@pytest.mark.parametrize(
    "name",
    ["body", "payload", "data", "form", "json", "raw", "request_body", "rawData", "_content", "'json'"],
)
def test_variables_named_like_content_are_left_out(name: str) -> None:
    assert without_content({name: NAME, "attempt": 1, "jobs": [{name: NAME}]}) == {"attempt": 1, "jobs": [{}]}
    assert NAME not in json.dumps(without_content({"job": {name: {"a": NAME}}}))


@pytest.mark.parametrize("name", ["metadata", "database", "platform", "informed", "drawn", "count"])
def test_variables_with_other_names_are_kept(name: str) -> None:
    assert without_content({name: 1}) == {name: 1}
