"""Errors of the APIs of a running stack are one line."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tallow.stack.engines.errors import NotRunningError, StackError
from tallow.stack.engines.services import api
from tallow.stack.engines.services.api import Api

ANSWERS = {
    "/fine": (200, b'{"status": "success"}'),
    "/refused": (400, b'{"status": "error", "error": "parse error:\\n unexpected end"}'),
    "/silence": (400, b'"silence invalid: no matchers"'),
    "/text": (503, b"Service Unavailable"),
    "/empty": (401, b""),
    "/html": (200, b"<!doctype html>"),
    "/other": (200, b"[]"),
}


class _Answering(BaseHTTPRequestHandler):
    """Answers like Prometheus and Alertmanager, which do not fail on demand."""

    def do_GET(self) -> None:
        status, body = ANSWERS[self.path.partition("?")[0]]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        return


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_responses_are_parsed_as_json(url: str) -> None:
    assert Api("prometheus", url).get("/fine") == {"status": "success"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/refused", "prometheus answers 400: parse error: unexpected end"),
        ("/silence", "prometheus answers 400: silence invalid: no matchers"),
        ("/text", "prometheus answers 503: Service Unavailable"),
        ("/empty", "prometheus answers 401: Unauthorized"),
    ],
)
def test_an_error_response_is_one_line_with_the_services_message(url: str, path: str, expected: str) -> None:
    with pytest.raises(StackError) as caught:
        Api("prometheus", url).get(path)
    assert str(caught.value) == expected


def test_a_service_that_does_not_listen_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with pytest.raises(NotRunningError) as caught:
        Api("alertmanager", url).get("/")
    assert str(caught.value) == f"alertmanager does not listen on its port ({url}); see: tallow status"


def test_a_service_that_does_not_answer_counts_as_not_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NotRunningError) as caught:
            Api("prometheus", url).get("/")
    assert str(caught.value) == f"prometheus does not answer within 0.1 s ({url}); see: tallow status"


@pytest.mark.parametrize("path", ["/html", "/other"])
def test_another_program_on_the_port_is_detected(url: str, path: str) -> None:
    asked = Api("alertmanager", url)
    with pytest.raises(StackError) as caught, asked.reading():
        asked.get(path)["data"]
    assert str(caught.value) == (
        f"what answers at {url} is not alertmanager; another program may have taken its port"
    )
