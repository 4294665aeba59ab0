"""A telemetry backend on loopback: keeps what came, refuses what the original would, fails on demand."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final, TypeVar

WAIT_TIMEOUT_S: Final = 20.0
_EXPECTED_HEADERS: Final = frozenset({"host", "authorization", "x-sentry-auth"})
INVALID_RESPONSE: Final = b"\x00\xff what is it you want\r\n\r\n" * 100


class RejectedRequestError(Exception):
    """The original would not take this; the text says why."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that came: header names in lower case, the body as it was before compression, and when, in
    seconds of the monotonic clock."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    received_at: float


@dataclass(frozen=True, slots=True)
class FailureMode:
    """How to answer instead of well.

    Attributes:
        status: an HTTP status, with ``headers``.
        delay_s: seconds to wait first. Alone it makes a backend that is slow and takes what it got.
        garbage: answer with bytes that are no HTTP.
        cut: take nothing and break off: ``reset`` before the answer, ``half`` in its middle.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    garbage: bool = False
    cut: str = ""

    def __post_init__(self) -> None:
        if self.cut not in {"", "reset", "half"}:
            raise ValueError(f"cut is {self.cut!r}; accepted: reset or half")

    @property
    def accepts(self) -> bool:
        """Whether the request is taken all the same."""
        return self.status is None and not self.garbage and not self.cut


class FakeBackend:
    """What the stand-ins have in common.

    Attributes:
        url: where it listens, ``http://127.0.0.1:PORT``.
        requests: all that came, however they were answered.
        refusals: why the original would have refused, one line each. A test of a sender ends with
            ``assert backend.refusals == []``.
    """

    success_status: ClassVar[int] = 200

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[ReceivedRequest] = []
        self.rejections: list[str] = []
        self._failures: list[FailureMode] = []
        self._failure: FailureMode | None = None
        self.changed = threading.Condition()

    @property
    def text(self) -> str:
        """All that came, taken or not: paths, headers and bodies, to search for what must not leave. Without
        the headers that a client owes this backend: its host and the sender's own credentials."""
        with self.changed:
            return "\n".join(map(_searchable_text, self.requests))

    def fail(self, *, times: int | None = None, **failure: Any) -> None:
        """Answer as :class:`Failure` says from now on, or ``times`` times."""
        with self.changed:
            if times is None:
                self._failure = FailureMode(**failure)
            else:
                self._failures += [FailureMode(**failure)] * times

    def recover(self) -> None:
        """Answer well from now on."""
        with self.changed:
            self._failure = None
            self._failures.clear()

    def wait_for_requests(self, count: int, timeout_s: float = WAIT_TIMEOUT_S) -> list[ReceivedRequest]:
        """Wait until so many requests have come, however they were answered: all of them.

        Raises:
            AssertionError: they did not come in time.
        """
        self.wait_until(lambda: len(self.requests) >= count, f"{count} requests", timeout_s)
        return self.requests

    def wait_until(self, done: Callable[[], bool], what: str, timeout_s: float = WAIT_TIMEOUT_S) -> None:
        """Wait for what a request may bring about.

        Raises:
            AssertionError: it was not so in time.
        """
        with self.changed:
            if not self.changed.wait_for(done, timeout_s):
                raise AssertionError(
                    f"{what}: not within {timeout_s:g} s; {len(self.requests)} requests came, "
                    f"refused: {self.rejections or 'none'}"
                )

    def next_failure(self) -> FailureMode:
        """How to answer the request at hand."""
        with self.changed:
            return self._failures.pop(0) if self._failures else self._failure or FailureMode()

    def accept(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Keep what a request brings: headers of the answer.

        Raises:
            RefusedError: the original would not take it.
        """
        raise NotImplementedError


BackendType = TypeVar("BackendType", bound=FakeBackend)


def _searchable_text(request: ReceivedRequest) -> str:
    headers = {name: value for name, value in request.headers.items() if name not in _EXPECTED_HEADERS}
    return f"{request.path} {headers} {request.body.decode('utf-8', 'replace')}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # an answer in two pieces would wait 40 ms for the first to be acknowledged
    )
    backend: FakeBackend
    stopping: threading.Event

    def do_POST(self) -> None:
        backend, request = self.backend, self._read()
        failure = backend.next_failure()
        with backend.changed:
            backend.requests.append(request)
            backend.changed.notify_all()
        self.stopping.wait(failure.delay_s)
        if failure.accepts:
            self._take(request)
        elif failure.status is not None:
            self._answer(failure.status, failure.headers)
        else:
            self._break_off(failure)

    def _read(self) -> ReceivedRequest:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return ReceivedRequest(self.path, headers, body, time.monotonic())

    def _take(self, request: ReceivedRequest) -> None:
        backend, status = self.backend, self.backend.success_status
        answer: Mapping[str, str] = {}
        with backend.changed:
            try:
                answer = backend.accept(request)
            except (RejectedRequestError, KeyError, TypeError, ValueError) as error:
                backend.rejections.append(f"{type(error).__name__}: {error}")
                status = 400
            backend.changed.notify_all()
        self._answer(status, answer)

    def _answer(self, status: int, headers: Mapping[str, str]) -> None:
        body = b"" if status == 204 else b"{}"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _break_off(self, failure: FailureMode) -> None:
        if failure.garbage:
            self.wfile.write(INVALID_RESPONSE)
        elif failure.cut == "half":
            self.wfile.write(b"HTTP/1.1 2")
        else:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.wfile.flush()
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_args: Any) -> None:
        """Tests read what arrived, not a log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or whom we reset, is part of the test."""


@contextmanager
def running(backend: BackendType, port: int = 0) -> Iterator[BackendType]:
    """The backend while it listens on 127.0.0.1, on ``port`` or any free one."""
    stopping = threading.Event()
    handler = type("Handler", (_Handler,), {"backend": backend, "stopping": stopping})
    server = _Server(("127.0.0.1", port), handler)
    backend.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield backend
    finally:
        stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
