"""A real HTTP and SOCKS5 proxy on loopback. It forwards every request to one server, whatever the host."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import threading
from base64 import b64encode
from collections.abc import Iterator
from typing import Final, Literal

Behaviour = Literal["works", "bad gateway", "hangs"]

HOST: Final = "tallow.test"
"""A host name that does not resolve: only the proxy can reach it."""


class HttpProxy(socketserver.ThreadingTCPServer):
    """A proxy for tests.

    Attributes:
        requests: the first line of each request; for SOCKS the requested host and port.
        login: the required ``user:password``, or None.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, target: int, behaviour: Behaviour, login: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target, self.behaviour, self.login = target, behaviour, login
        self.requests: list[str] = []
        self.closing = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def proxying(target: int, behaviour: Behaviour = "works", login: str | None = None) -> Iterator[HttpProxy]:
    """A proxy that forwards everything to the loopback port ``target``."""
    with HttpProxy(target, behaviour, login) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.closing.set()
            proxy.shutdown()
            thread.join()


class _Connection(socketserver.BaseRequestHandler):
    server: HttpProxy
    request: socket.socket

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            if self.server.behaviour == "hangs":
                self.server.requests.append("hangs")
                self.server.closing.wait()
            elif self.request.recv(1, socket.MSG_PEEK) == b"\x05":
                self._socks()
            else:
                self._http()

    def _http(self) -> None:
        head = self._read_head()
        line, _, rest = head.partition(b"\r\n")
        self.server.requests.append(line.decode())
        if self.server.login is not None and not self._is_authorized(head):
            self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            return
        if self.server.behaviour == "bad gateway":
            self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.server.target)) as upstream:
            if line.startswith(b"CONNECT "):
                self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                path = re.sub(rb" http://[^/ ]+", b" ", line, count=1)
                upstream.sendall(path + b"\r\n" + rest)
            self._forward(upstream)

    def _socks(self) -> None:
        methods = self._read(self._read(2)[1])
        if 0 not in methods:
            self.request.sendall(b"\x05\xff")
            return
        self.request.sendall(b"\x05\x00")
        kind = self._read(4)[3]
        host = self._read(self._read(1)[0]).decode() if kind == 3 else socket.inet_ntoa(self._read(4))
        port = int.from_bytes(self._read(2), "big")
        self.server.requests.append(f"{host}:{port}")
        with socket.create_connection(("127.0.0.1", self.server.target)) as upstream:
            self.request.sendall(b"\x05\x00\x00\x01" + bytes(6))
            self._forward(upstream)

    def _is_authorized(self, head: bytes) -> bool:
        expected = b64encode((self.server.login or "").encode())
        return (
            re.search(rb"(?im)^proxy-authorization: basic " + re.escape(expected) + rb"\r$", head) is not None
        )

    def _read_head(self) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(1)
        return head

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.request.recv(count - len(data))
            if not piece:
                raise ConnectionAbortedError
            data += piece
        return data

    def _forward(self, upstream: socket.socket) -> None:
        back = threading.Thread(target=_pump, args=(upstream, self.request), daemon=True)
        back.start()
        _pump(self.request, upstream)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
