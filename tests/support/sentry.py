"""A Sentry on loopback as strict as the original: it parses real envelopes and refuses what Sentry would.

Source: Sentry's developer documentation, "Envelopes" and "Event Payloads".
"""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0123456789abcdef0123456789abcdef"
_HEX32 = re.compile(r"[0-9a-f]{32}")
_HEX16 = re.compile(r"[0-9a-f]{16}")
_LEVELS = {"fatal", "error", "warning", "info", "debug"}
_LISTS = ("exception", "threads", "breadcrumbs")


class RefusedError(Exception):
    """Sentry would not take this."""


@dataclass
class Sentry:
    """What arrived: (item type, payload), raw bodies, refusals. ``status`` and ``delay`` are yet to come."""

    items: list[tuple[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    requests: int = 0
    port: int = 0

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@127.0.0.1:{self.port}/7"

    def of(self, kind: str) -> list[Any]:
        return [payload for item, payload in self.items if item == kind]

    @property
    def text(self) -> str:
        """Everything that arrived, as text."""
        return b"\n".join(self.bodies).decode()

    def take(self, path: str, auth: str, body: bytes) -> None:
        if path != "/api/7/envelope/":
            raise RefusedError(f"no such path {path}")
        if f"sentry_key={KEY}" not in auth or "sentry_version=7" not in auth:
            raise RefusedError("no key")
        self.bodies.append(body)
        header, position = _line(body, 0)
        if "event_id" in header and not _HEX32.fullmatch(header["event_id"]):
            raise RefusedError("event_id")
        while position < len(body):
            item, position = _line(body, position)
            length = item.get("length")
            if not isinstance(length, int):
                raise RefusedError("an item without length")
            payload = body[position : position + length]
            if len(payload) != length:
                raise RefusedError("a short payload")
            position += length + 1
            self._item(item, payload)

    def _item(self, header: dict[str, Any], payload: bytes) -> None:
        kind = header["type"]
        content = json.loads(payload) if kind != "attachment" else payload
        check = {
            "event": _event,
            "transaction": _transaction,
            "log": _batch(header),
            "trace_metric": _batch(header),
            "sessions": _needs("aggregates", "attrs"),
            "session": _needs("sid", "status"),
            "client_report": _needs("timestamp", "discarded_events"),
            "check_in": _needs("check_in_id", "monitor_slug", "status"),
            "attachment": lambda _content: None,
        }.get(kind)
        if check is None:
            raise RefusedError(f"item type {kind}")
        check(content)
        self.items.append((kind, content))


def _line(body: bytes, position: int) -> tuple[dict[str, Any], int]:
    end = body.find(b"\n", position)
    end = len(body) if end < 0 else end
    header = json.loads(body[position:end])
    if not isinstance(header, dict):
        raise RefusedError("a header that is no object")
    return header, end + 1


def _needs(*names: str) -> Any:
    def check(content: Any) -> None:
        for name in names:
            if name not in content:
                raise RefusedError(f"no {name}")

    return check


def _batch(header: dict[str, Any]) -> Any:
    def check(content: Any) -> None:
        if header.get("item_count") != len(content["items"]) or not content["items"]:
            raise RefusedError("item_count")
        for item in content["items"]:
            if not _HEX32.fullmatch(item["trace_id"]) or not isinstance(item["attributes"], dict):
                raise RefusedError("a log or metric without trace or attributes")
            for attribute in item["attributes"].values():
                if attribute["type"] not in {"string", "boolean", "integer", "double", "array"}:
                    raise RefusedError("an attribute without type")

    return check


def _event(event: dict[str, Any]) -> None:
    if not _HEX32.fullmatch(event["event_id"]) or not event.get("timestamp"):
        raise RefusedError("event_id or timestamp")
    if event.get("platform") != "python" or event.get("level", "error") not in _LEVELS:
        raise RefusedError("platform or level")
    for section in ("tags", "contexts", "extra", "user", "request", "sdk", "modules"):
        if not isinstance(event.get(section, {}), dict):
            raise RefusedError(f"{section} is no object")
    for section in _LISTS:
        for entry in (event.get(section) or {}).get("values", []):
            for frame in ((entry.get("stacktrace") or {}).get("frames")) or []:
                if not isinstance(frame["lineno"], int) or not isinstance(frame["filename"], str):
                    raise RefusedError("a frame without place")
    trace = event.get("contexts", {}).get("trace")
    if trace is not None:
        _span(trace)


def _span(span: dict[str, Any]) -> None:
    if not _HEX32.fullmatch(span["trace_id"]) or not _HEX16.fullmatch(span["span_id"]):
        raise RefusedError("a span without ids")


def _transaction(event: dict[str, Any]) -> None:
    _event(event)
    if not event.get("start_timestamp") or "trace" not in event["contexts"]:
        raise RefusedError("a transaction without start or trace")
    for span in event["spans"]:
        _span(span)
        if not span.get("start_timestamp") or not span.get("timestamp"):
            raise RefusedError("a span without times")


@contextmanager
def sentry() -> Iterator[Sentry]:
    """A running one."""
    received = Sentry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.requests += 1
            time.sleep(received.delay)
            status = received.status
            if status == 200:
                try:
                    if self.headers.get("Content-Encoding") == "gzip":
                        body = gzip.decompress(body)
                    received.take(self.path, self.headers.get("X-Sentry-Auth", ""), body)
                except (RefusedError, KeyError, TypeError, ValueError) as error:
                    received.refusals.append(f"{type(error).__name__}: {error}")
                    status = 400
            answer = b"{}"
            self.send_response(status)
            for name, value in received.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: Any) -> None:
            """Tests read what arrived, not a log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
