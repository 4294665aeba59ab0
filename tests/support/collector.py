"""A log endpoint on loopback, as strict as Loki, that fails on demand."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Collector:
    """What arrived, and how to answer.

    Attributes:
        mode: ok, a status code, slow, garbage or reset.
        headers: sent with a failing status.
        batches: (batch id, lines) in order, repeats included.
    """

    def __init__(self) -> None:
        self.mode = "ok"
        self.headers: dict[str, str] = {}
        self.batches: list[tuple[str, list[dict[str, Any]]]] = []
        self.requests: list[float] = []
        self.authorization: set[str] = set()
        self.complaints: list[str] = []
        self.changed = threading.Condition()
        self.url = ""

    @property
    def messages(self) -> list[str]:
        """Messages, each batch once."""
        with self.changed:
            once = dict(self.batches)
        return [line["message"] for lines in once.values() for line in lines]

    def wait_for(self, count: int, timeout_s: float = 20) -> list[str]:
        """Wait until ``count`` messages are here: all of them."""
        deadline = time.monotonic() + timeout_s
        while len(self.messages) < count and time.monotonic() < deadline:
            with self.changed:
                self.changed.wait(0.1)
        return self.messages

    def wait_for_requests(self, count: int, timeout_s: float = 20) -> None:
        """Wait until so many requests have come, however they were answered."""
        deadline = time.monotonic() + timeout_s
        while len(self.requests) < count:
            assert time.monotonic() < deadline, f"{len(self.requests)} requests came"
            with self.changed:
                self.changed.wait(0.1)


def loki_lines(body: bytes) -> list[dict[str, Any]]:
    """The lines of a push, checked as Loki checks them."""
    lines = []
    pushed = json.loads(body)
    assert set(pushed) == {"streams"}
    for stream in pushed["streams"]:
        assert set(stream) == {"stream", "values"}
        assert stream["stream"]
        assert all(re.fullmatch(r"[a-zA-Z_]\w*", name) for name in stream["stream"])
        for moment, line in stream["values"]:
            assert re.fullmatch(r"\d{19}", moment)
            lines.append(json.loads(line))
            assert lines[-1]["level"] == stream["stream"]["level"]
    return lines


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    collector: Collector

    def do_POST(self) -> None:
        collector = self.collector
        body = self.rfile.read(int(self.headers["content-length"]))
        with collector.changed:
            collector.requests.append(time.monotonic())
            collector.authorization.add(self.headers.get("authorization", ""))
            collector.changed.notify_all()
        mode = collector.mode
        if mode == "ok":
            self._take(body)
        elif mode == "slow":
            time.sleep(3)
        elif mode == "garbage":
            self.wfile.write(b"\x00\xff what is it you want\r\n\r\n" * 100)
        elif mode == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._answer(int(mode), collector.headers)
        if not mode.isdigit() and mode != "ok":
            self.close_connection = True
            self.connection.close()

    def _take(self, body: bytes) -> None:
        try:
            if self.path.endswith("/loki/api/v1/push"):
                assert self.headers["content-type"] == "application/json"
                lines = loki_lines(body)
            else:
                assert self.headers["content-type"] == "application/x-ndjson"
                lines = [json.loads(line) for line in body.splitlines()]
        except (AssertionError, ValueError, KeyError) as error:
            self.collector.complaints.append(repr(error))
            self._answer(400, {})
            return
        with self.collector.changed:
            self.collector.batches.append((self.headers["x-batch-id"], lines))
            self.collector.changed.notify_all()
        self._answer(204, {})

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or whom we reset, is part of the test."""


@contextmanager
def collector(port: int = 0) -> Iterator[Collector]:
    """A running collector."""
    state = Collector()
    handler = type("Handler", (_Handler,), {"collector": state})
    server = _Server(("127.0.0.1", port), handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
