"""A Plausible on loopback as strict as the original about what it takes, and as quiet about what it drops."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FIELDS = {"domain", "name", "url", "referrer", "props", "revenue", "interactive"}


@dataclass
class Plausible:
    """What arrived: (headers, event); ``status``, ``delay``, ``dropped`` are the answers to come."""

    events: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    status: int = 202
    delay: float = 0
    dropped: bool = False
    garbage: bool = False
    requests: int = 0
    url: str = ""

    @property
    def names(self) -> list[str]:
        return [event["name"] for _, event in self.events]

    @property
    def text(self) -> str:
        return json.dumps(self.events)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> str | None:
        """Why an event is refused, or None."""
        event = json.loads(body)
        props = event.get("props", {})
        wrong = {
            "path": path != "/api/event",
            "user agent": not headers.get("user-agent", "").strip(),
            "content type": headers.get("content-type") not in {"application/json", "text/plain"},
            "fields": not {"domain", "name", "url"} <= set(event) <= FIELDS,
            "strings": not all(
                isinstance(event.get(name), str) and event[name] for name in ("domain", "name")
            ),
            "url": not event["url"].startswith("https://") or len(event["url"]) > 2000,
            "name": len(event["name"]) > 120,
            "props": len(props) > 30 or not all(isinstance(value, str) for value in props.values()),
            "cookies": "cookie" in headers,
        }
        found = [name for name, is_wrong in wrong.items() if is_wrong]
        if not found:
            self.events.append((headers, event))
        return ", ".join(found) or None


@contextmanager
def plausible() -> Iterator[Plausible]:
    """A running one."""
    received = Plausible()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.requests += 1
            time.sleep(received.delay)
            if received.garbage:
                self.wfile.write(b"\x00garbage\r\n\r\n")
                self.close_connection = True
                return
            status = received.statuses.pop(0) if received.statuses else received.status
            if status == 202:
                headers = {name.lower(): value for name, value in self.headers.items()}
                refusal = received.take(self.path, headers, body)
                if refusal is not None:
                    received.refusals.append(refusal)
                    status = 400
            self.send_response(status)
            if received.dropped:
                self.send_header("x-plausible-dropped", "1")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_args: Any) -> None:
            """Tests read what arrived, not a log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
