"""What other machines reach: listening sockets, and the public address with its certificate."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
from cryptography import x509

from tallow.monitoring.integrations.http_client import client
from tallow.monitoring.integrations.request_errors import describe_error
from tallow.stack.doctor.model import Check, NotApplicableError, Problem
from tallow.stack.doctor.native.host import MAX_CLOCK_ERROR_S
from tallow.stack.doctor.native.installation import Installation
from tallow.stack.doctor.native.machine import unverified_tls

TIMEOUT_S: Final = 10.0
EXPIRES_SOON_DAYS: Final = 14
"""A renewal that runs daily has failed two weeks long by then."""
_NEED_URL: Final = "no public address was given; add: --url https://HOST"


def _ports(installation: Installation) -> Iterator[Problem]:
    for listener in installation.listeners(installation.home):
        if listener.is_exposed and not listener.has_tls():
            yield Problem(
                f"{listener.service} listens on {listener.host}:{listener.port}, which other machines reach, "
                "without TLS",
                "bind it to 127.0.0.1 and put a proxy with TLS before it",
            )


def _certificate(installation: Installation) -> Iterator[Problem]:
    parts = urlsplit(_url(installation))
    host, port = parts.hostname or "", parts.port or 443
    if parts.scheme != "https":
        yield Problem(
            f"{installation.public_url} is not encrypted", "serve it by a proxy with TLS (https://)"
        )
        return
    try:
        certificate = _certificate_of(host, port)
    except (OSError, ValueError) as error:
        yield Problem(
            f"{host}:{port} does not answer a TLS handshake: {error}", "start the proxy, or correct --url"
        )
        return
    days = (certificate.not_valid_after_utc - datetime.fromtimestamp(installation.now(), UTC)).days
    until = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    if days < 0:
        yield Problem(
            f"the certificate of {host} has expired on {until}", "renew it, and see why it was not renewed"
        )
    elif days < EXPIRES_SOON_DAYS:
        yield Problem(
            f"the certificate of {host} expires on {until}", "see why it was not renewed yet", "warning"
        )
    elif problem := _trust_problem(host, port):
        yield Problem(
            f"browsers refuse the certificate of {host}: {problem}", "use one of a public authority"
        )


def _public_pages(installation: Installation) -> Iterator[Problem]:
    url = _url(installation).rstrip("/")
    for path in ("/metrics", "/api/health/detailed"):
        response = _get(url + path)
        if response.is_success:
            yield Problem(
                f"{url}{path} is open to everybody", "set METRICS_TOKEN or HEALTH_CHECK_TOKEN, then reload"
            )
    response = _get(url + "/api/health/readiness")
    if not response.is_success:
        yield Problem(
            f"{url} answers {response.status_code} to the readiness check",
            "start Tallow, or correct the proxy",
        )
    if "strict-transport-security" not in response.headers and url.startswith("https:"):
        yield Problem(
            f"{url} sends no Strict-Transport-Security",
            "add the header in the proxy that ends TLS",
            "warning",
        )


def _public_clock(installation: Installation) -> Iterator[Problem]:
    response = _get(_url(installation))
    try:
        there = parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        raise NotApplicableError("the public address sends no time") from None
    if abs(error := installation.now() - there) > MAX_CLOCK_ERROR_S:
        direction = "ahead of" if error > 0 else "behind"
        yield Problem(
            f"this clock is {abs(error):.0f} s {direction} that of {installation.public_url}",
            "correct the clock: timedatectl set-ntp true",
        )


def _url(installation: Installation) -> str:
    if installation.public_url is None:
        raise NotApplicableError(_NEED_URL)
    return installation.public_url


def _get(url: str) -> httpx.Response:
    try:
        # The certificate has a check of its own.
        with client(timeout=TIMEOUT_S, transport={"verify": unverified_tls()}) as http:
            return http.get(url)
    except httpx.HTTPError as error:
        raise NotApplicableError(
            f"{urlsplit(url).hostname} does not answer: {describe_error(error)}"
        ) from None


def _certificate_of(host: str, port: int) -> x509.Certificate:
    with (
        socket.create_connection((host, port), TIMEOUT_S) as connection,
        unverified_tls().wrap_socket(connection, server_hostname=host) as encrypted,
    ):
        return x509.load_der_x509_certificate(encrypted.getpeercert(binary_form=True) or b"")


def _trust_problem(host: str, port: int) -> str:
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_S) as connection,
            ssl.create_default_context().wrap_socket(connection, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message


CHECKS: Final = (
    Check("ports", "Nothing is reachable from other machines without TLS", _ports),
    Check("certificate", "The certificate of the public address is valid for two weeks", _certificate),
    Check("public-pages", "The public address answers, and keeps metrics and details closed", _public_pages),
    Check("public-clock", "This clock agrees with that of the public address", _public_clock),
)
