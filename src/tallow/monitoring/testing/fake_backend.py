"""A fake telemetry backend on loopback. It validates requests like the original and fails on demand."""

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
INVALID_RESPONSE: Final = b"\x00\xff this is not HTTP\r\n\r\n" * 100


class RejectedRequestError(Exception):
    """A request that the original backend would reject. The message names the reason and is the response.

    Args:
        reason: the message.
        status: of the response.

    Example::

        >>> raise RejectedRequestError("no user agent")
        Traceback (most recent call last):
        tallow.monitoring.testing.fake_backend.RejectedRequestError: no user agent
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that a fake backend received.

    Args:
        path: with the query.
        headers: by their names in lower case.
        body: decompressed.
        received_at: seconds of the monotonic clock.

    Example::

        >>> ReceivedRequest("/api/event", {"user-agent": "tallow"}, b"{}", received_at=0.0).path
        '/api/event'
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    received_at: float


@dataclass(frozen=True, slots=True)
class FailureMode:
    """How a fake backend fails. The first of ``status``, ``garbage`` and ``cut`` applies.

    Args:
        status: the HTTP status of the response.
        headers: of that response.
        delay_s: seconds to wait first. Without another failure the backend is slow and accepts the request.
        garbage: respond with bytes that are not HTTP.
        cut: close the connection without accepting the request: ``reset`` before the response, ``half``
            within it.

    Raises:
        ValueError: ``cut`` has another value.

    Example::

        >>> FailureMode(status=503).accepts, FailureMode(delay_s=3).accepts
        (False, True)
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
        """Whether the request is accepted nevertheless."""
        return self.status is None and not self.garbage and not self.cut


class FakeBackend:
    """The base class of the fake backends.

    Attributes:
        url: ``http://127.0.0.1:PORT``.
        requests: all requests, including those that failed.
        rejections: why the original would have rejected requests, one line each. A test of a sender ends with
            ``assert backend.rejections == []``.
        changed: notified after each request. Hold it to read several attributes consistently.

    Example::

        >>> import httpx
        >>> from tallow.monitoring.testing import log_endpoint
        >>> with log_endpoint() as backend:
        ...     backend.fail(status=503, times=1)
        ...     httpx.post(backend.url, content=b"{}", trust_env=False).status_code
        503
        >>> len(backend.requests)
        1
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
        """Paths, headers and bodies of all requests, for a search for private data.

        Headers that a sender must send are left out: the host and its own credentials.
        """
        with self.changed:
            return "\n".join(map(_searchable_text, self.requests))

    def fail(self, *, times: int | None = None, **failure: Any) -> None:
        """Fail from now on, or ``times`` times. The arguments are those of :class:`FailureMode`."""
        with self.changed:
            if times is None:
                self._failure = FailureMode(**failure)
            else:
                self._failures += [FailureMode(**failure)] * times

    def recover(self) -> None:
        """Stop failing."""
        with self.changed:
            self._failure = None
            self._failures.clear()

    def wait_for_requests(self, count: int, timeout_s: float = WAIT_TIMEOUT_S) -> list[ReceivedRequest]:
        """Wait until ``count`` requests were received and return all requests.

        Raises:
            AssertionError: they were not received within ``timeout_s`` seconds.
        """
        self.wait_until(lambda: len(self.requests) >= count, f"{count} requests", timeout_s)
        return self.requests

    def wait_until(self, done: Callable[[], bool], what: str, timeout_s: float = WAIT_TIMEOUT_S) -> None:
        """Wait until ``done`` returns True after a request. ``what`` names it in the error.

        Raises:
            AssertionError: it did not within ``timeout_s`` seconds.
        """
        with self.changed:
            if not self.changed.wait_for(done, timeout_s):
                raise AssertionError(
                    f"{what}: not within {timeout_s:g} s; {len(self.requests)} requests received, "
                    f"rejected: {self.rejections or 'none'}"
                )

    def next_failure(self) -> FailureMode:
        """Return how to fail for the current request."""
        with self.changed:
            return self._failures.pop(0) if self._failures else self._failure or FailureMode()

    def accept(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Store what a request contains and return headers of the response.

        Raises:
            RejectedRequestError: the original would reject the request.
        """
        raise NotImplementedError


BackendType = TypeVar("BackendType", bound=FakeBackend)


def _searchable_text(request: ReceivedRequest) -> str:
    headers = {name: value for name, value in request.headers.items() if name not in _EXPECTED_HEADERS}
    return f"{request.path} {headers} {request.body.decode('utf-8', 'replace')}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the second part of a response would wait 40 ms for an acknowledgement
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
        body = b"{}"
        with backend.changed:
            try:
                answer = backend.accept(request)
            except (RejectedRequestError, KeyError, TypeError, ValueError) as error:
                backend.rejections.append(f"{type(error).__name__}: {error}")
                status = error.status if isinstance(error, RejectedRequestError) else 400
                body = str(error).encode()
            backend.changed.notify_all()
        self._answer(status, answer, body)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes = b"{}") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if status != 204:
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
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: clients that disconnect are part of a test."""


@contextmanager
def running(backend: BackendType, port: int = 0) -> Iterator[BackendType]:
    """Run the backend on 127.0.0.1 for the block, on ``port`` or any free port."""
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
