"""Web servers for proxy tests; warnings are logged again in each test."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.certificates import self_signed
from tallow.monitoring.lifecycle import warn_once


@pytest.fixture(autouse=True)
def _no_warning_logged_before() -> Iterator[None]:
    warn_once.reset()
    yield
    warn_once.reset()


class Hello(BaseHTTPRequestHandler):
    """Responds with the requested path; to ``/502`` with that status, to ``/away`` with a redirect."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode()
        status = {"/502": 502, "/away": 302}.get(self.path, 200)
        self.send_response(status)
        if status == 302:
            self.send_header("location", "http://other.test/there")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def origin() -> Iterator[int]:
    """A web server's port on loopback."""
    with serving() as port:
        yield port


@pytest.fixture
def tls_origin(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A web server with TLS: its port on loopback, and its certificate for 127.0.0.1 and tallow.test."""
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(context) as port:
        yield port, certificate
