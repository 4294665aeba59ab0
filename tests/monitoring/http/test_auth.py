"""Without a token, operational endpoints answer direct requests of this machine only."""

from __future__ import annotations

import pytest

from tallow.monitoring.http.auth import is_allowed

LOOPBACK = ("127.0.0.1", 4711)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "LOCALHOST:3000",
        "app.localhost:3000",
        "127.0.0.1:3000",
        "[::1]:3000",
        "tallow:3000",
        "10.0.0.5",
    ],
)
def test_a_host_that_no_public_name_can_have_is_accepted(host: str) -> None:
    assert is_allowed(None, {"host": host} if host else {}, LOOPBACK)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example.",
        ),
        *(
            "localhost, evil.example",
            "localhost@evil.example",
            "[::1].evil.example",
            "evil.example/localhost",
        ),
    ],
)
def test_a_host_of_dns_rebinding_is_refused_without_a_token(host: str) -> None:
    assert not is_allowed(None, {"host": host}, LOOPBACK)
    assert is_allowed("secret-token", {"host": host, "authorization": "Bearer secret-token"}, LOOPBACK)


@pytest.mark.parametrize(
    "header",
    [
        *("forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-server", "x-forwarded"),
        *("cf-connecting-ip", "true-client-ip", "cdn-loop", "fastly-client-ip", "x-envoy-external-address"),
    ],
)
def test_a_request_through_a_proxy_is_refused_without_a_token(header: str) -> None:
    assert not is_allowed(None, {"host": "localhost", header: ""}, LOOPBACK)
