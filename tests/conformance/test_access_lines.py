"""The records of each server hold the route, and nothing of what a client sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.server_process import running

pytestmark = pytest.mark.integration

OPTIONS = {
    "uvicorn": (),
    "hypercorn": ("--access-logfile", "-"),
    "granian": ("--access-log",),
    "daphne": (),
    "gunicorn": ("--access-logfile", "-"),
}
UPGRADE = (
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUser-Agent: SECRET\r\n\r\n"
)
MALFORMED = [
    b"GET SECRET\r\n\r\n",
    b"SECRET /SECRET HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /SECRET x HTTP/9\r\n\r\n",
    b"GET /SECRET HTTP/1.1\r\nSECRET header: SECRET\r\n\r\n",
]


@pytest.mark.parametrize(
    "server", ["uvicorn", *(pytest.param(name, marks=pytest.mark.proof) for name in list(OPTIONS)[1:])]
)
def test_access_records_name_the_route_also_of_requests_that_cannot_be_read(
    server: str, tmp_path: Path
) -> None:
    with running(server, tmp_path, OPTIONS[server]) as started:
        for path in ("/item/SECRET?q=SECRET", "/SECRET/x", "/broken/SECRET"):
            started.get(path)
        for request in MALFORMED:
            started.send(request)
        for path in ("/chat/SECRET?q=SECRET", "/SECRET"):
            started.send(f"GET {path} HTTP/1.1\r\n{UPGRADE}".encode())
        assert started.stop()
    text = (tmp_path / "server.log").read_text()
    assert "SECRET" not in text
    messages = [json.loads(line)["message"] for line in text.splitlines() if line.startswith("{")]
    assert "Opened /item/{name}" in messages
    for expected in ("GET /item/{name} 200", "GET other 404", "GET /broken/{name} 500"):
        assert messages.count(expected) == 1
