"""What other machines reach: the public address, its certificate, its pages and its clock."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path

import pytest

from support.certificates import self_signed
from support.installation import fresh_installation, inspected, problems_of, result_of
from tallow.stack.doctor.native.machine import Listener
from tallow.stack.engines.state.state_dir import StateDir

CLOSED = {"/metrics": 401, "/api/health/detailed": 401}
SECURE = {"Strict-Transport-Security": "max-age=31536000"}


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    return fresh_installation(tmp_path)


@contextmanager
def public_site(
    certificate: tuple[Path, Path] | None,
    statuses: dict[str, int] | None = None,
    headers: dict[str, str] | None = None,
    clock_error_s: float = 0.0,
) -> Iterator[str]:
    """A site on loopback, as users reach Tallow through a proxy; its address.

    Args:
        certificate: and its key; None for a site without TLS.
        statuses: of paths; 200 for others.
        headers: of every response.
        clock_error_s: how far its clock is ahead.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response((CLOSED if statuses is None else statuses).get(self.path, 200))
            for name, value in (SECURE if headers is None else headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate((timestamp or time.time()) + clock_error_s, usegmt=True)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


DAYS = [
    pytest.param(timedelta(days=-2), "has expired on", "error", id="expired"),
    pytest.param(timedelta(days=5), "expires on", "warning", id="expires soon"),
]


@pytest.mark.parametrize(("valid_to", "message", "severity"), DAYS)
def test_a_certificate_near_or_past_its_end_is_named(
    valid_to: timedelta, message: str, severity: str, home: StateDir, tmp_path: Path
) -> None:
    with public_site(self_signed(tmp_path, valid_from=timedelta(days=-9), valid_to=valid_to)) as url:
        [problem] = problems_of("certificate", inspected(home, public_url=url))
    assert message in problem.message
    assert "renew" in problem.remedy
    assert problem.severity == severity


def test_a_certificate_of_an_unknown_authority_is_named(home: StateDir, tmp_path: Path) -> None:
    with public_site(self_signed(tmp_path, valid_to=timedelta(days=90))) as url:
        [problem] = problems_of("certificate", inspected(home, public_url=url))
    assert "browsers refuse the certificate of 127.0.0.1: self-signed" in problem.message
    assert problem.remedy == "use one of a public authority"


def test_a_trusted_certificate_with_time_left_is_no_problem(
    home: StateDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path, valid_to=timedelta(days=90))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with public_site(certificate) as url:
        assert problems_of("certificate", inspected(home, public_url=url)) == []
        assert problems_of("public-pages", inspected(home, public_url=url)) == []
        assert problems_of("public-clock", inspected(home, public_url=url)) == []


def test_an_address_without_tls_is_named(home: StateDir) -> None:
    with public_site(None) as url:
        [problem] = problems_of("certificate", inspected(home, public_url=url))
    assert (problem.message, problem.severity) == (f"{url} is not encrypted", "error")


def test_an_address_that_does_not_answer_is_named(home: StateDir) -> None:
    [problem] = problems_of("certificate", inspected(home, public_url="https://127.0.0.1:1"))
    assert "127.0.0.1:1 does not answer a TLS handshake" in problem.message
    assert result_of("public-pages", inspected(home, public_url="https://127.0.0.1:1")).skipped


@pytest.mark.parametrize("path", CLOSED)
def test_pages_that_must_be_closed_are_named(path: str, home: StateDir, tmp_path: Path) -> None:
    with public_site(self_signed(tmp_path), {**CLOSED, path: 200}) as url:
        [problem] = problems_of("public-pages", inspected(home, public_url=url))
    assert problem.message == f"{url}{path} is open to everybody"
    assert "METRICS_TOKEN" in problem.remedy


def test_a_site_that_is_not_ready_is_named(home: StateDir, tmp_path: Path) -> None:
    with public_site(self_signed(tmp_path), {**CLOSED, "/api/health/readiness": 503}) as url:
        [problem] = problems_of("public-pages", inspected(home, public_url=url))
    assert "answers 503 to the readiness check" in problem.message


def test_a_missing_transport_security_header_is_a_warning(home: StateDir, tmp_path: Path) -> None:
    with public_site(self_signed(tmp_path), headers={}) as url:
        [problem] = problems_of("public-pages", inspected(home, public_url=url))
    assert "Strict-Transport-Security" in problem.message
    assert problem.severity == "warning"


@pytest.mark.parametrize(("error_s", "direction"), [(300.0, "behind"), (-300.0, "ahead of")])
def test_a_clock_that_differs_is_named(
    error_s: float, direction: str, home: StateDir, tmp_path: Path
) -> None:
    with public_site(self_signed(tmp_path), clock_error_s=error_s) as url:
        [problem] = problems_of("public-clock", inspected(home, public_url=url))
    assert direction in problem.message
    assert "timedatectl" in problem.remedy


def test_a_listening_socket_with_tls_is_told_from_one_without(tmp_path: Path) -> None:
    with public_site(self_signed(tmp_path)) as encrypted, public_site(None) as plain:
        ports = [int(url.rpartition(":")[2]) for url in (encrypted, plain)]
        assert [Listener("tallow", "127.0.0.1", port).has_tls() for port in ports] == [True, False]


def test_without_an_address_the_checks_say_how_to_give_one(home: StateDir) -> None:
    for check in ("certificate", "public-pages", "public-clock"):
        assert (
            result_of(check, inspected(home)).skipped
            == "no public address was given; add: --url https://HOST"
        )
