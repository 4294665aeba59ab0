"""``NO_PROXY`` in the forms that people and desktops use."""

from __future__ import annotations

import pytest

from tallow.monitoring.integrations.host_names import is_loopback, normalise_host
from tallow.monitoring.integrations.no_proxy import parse


def covers(value: str, host: str, scheme: str = "http", port: int = 80) -> bool:
    return any(one.covers(scheme, normalise_host(host), port) for one in parse(value)[0])


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("*", "example.org"),
        ("example.org", "example.org"),
        ("example.org", "www.example.org"),
        (".example.org", "www.example.org"),
        ("*.example.org", "www.example.org"),
        ("EXAMPLE.ORG.", "example.org"),
        ("example.org", "Example.Org."),
        ("a.example b.example,,c.example", "b.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.0.0.0/8", "10.200.0.1"),
        ("10.0.0.1/8", "10.200.0.1"),
        ("10.0.0.0/8", "::ffff:10.0.0.1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("fe80::/10", "fe80::1"),
        ("[fe80::]/10", "fe80::1"),
        ("[fe80::/10]", "fe80::1"),
        ("fe80::1", "fe80::1%eth0"),
        ("fe80::1%eth0", "fe80::1%25eth0"),
        ("fe80::%eth0/10", "fe80::1%25eth0"),
        ("[fe80::1%eth0]:80", "fe80::1%eth0"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("::ffff:10.0.0.0/104", "10.1.2.3"),
        ("127.1", "127.0.0.1"),
        ("10.0.0.1.", "10.0.0.1"),
        ("faß.example", "xn--fa-hia.example"),
        ("10.0.0.1:80", "10.0.0.1"),
        ("http://example.org/", "example.org"),
        ("example.org:80", "example.org"),
    ],
)
def test_exempt_hosts(value: str, host: str) -> None:
    assert covers(value, host)
    assert parse(value)[1] == 0


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("", "example.org"),
        ("example.org", "anexample.org"),
        ("www.example.org", "example.org"),
        ("example.org:443", "example.org"),
        ("https://example.org", "example.org"),
        ("10.0.0.0/8", "11.0.0.1"),
        ("10.0.0.0/8", "10.example.org"),
        ("fe80::/10", "2001:db8::1"),
        ("0.0.0.0/0", "2001:db8::1"),
        ("[::1]:3000", "::1"),
        (".example.org", "example.org"),
        ("*.example.org", "example.org"),
        ("http://example.org", "www.example.org"),
        ("10.1", "192.168.10.1"),
        ("faß.example", "fass.example"),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%eth0", "fe80::1%eth1"),
        ("::/0", "10.0.0.1"),
        ("::ffff:0:0/95", "10.0.0.1"),
    ],
)
def test_hosts_that_are_not_exempt(value: str, host: str) -> None:
    assert not covers(value, host)
    assert parse(value)[1] == 0


@pytest.mark.parametrize(
    "value",
    [
        *("[::1", "::1]", "10.0.0.0/33", "10.0.0.*", "fe80::/200", "a_b!", "<local>", ".", "://", "x:99999"),
        *(
            "10.*",
            "*example.org",
            "example.org:*",
            "*:80",
            "http://*",
            "10.0.0.0/255.0.0.0",
            "10.0.0.0/0.0.0.0",
        ),
        *("010.0.0.1", "1.2.3.4.5", "10.", "7", "a..b", "example.org..", "**", "[example.org]", "[10.0.0.1]"),
        *("x" * 64, "a;b", "'a", "http:", "ä" * 80),
    ],
)
def test_invalid_entries_are_counted_and_valid_ones_used(value: str) -> None:
    known, unknown = parse(f"{value},example.org")
    assert unknown == 1
    assert len(known) == 1


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "api.localhost", "127.0.0.1", "127.8.9.10", "127.1"),
        *("0x7f000001", "::1", "[::1]", "::ffff:127.0.0.1", "0.0.0.0", "::"),
    ],
)
def test_every_name_of_loopback_is_recognised(host: str) -> None:
    assert is_loopback(normalise_host(host))


@pytest.mark.parametrize(
    "host", ["", "example.org", "localhost.example.org", "10.0.0.1", "128.0.0.1", "fe80::1"]
)
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(normalise_host(host))
