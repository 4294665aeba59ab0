"""Which addresses are offered and dialled."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.app.channels.tcp.addresses import (
    MAX_DIALLED,
    Endpoint,
    dialling_order,
    host_tag,
    local_addresses,
    parse_endpoints,
)

OWN = [ipaddress.ip_address(text) for text in ("127.0.0.1", "192.168.7.20", "2001:db8:7::20")]


def endpoints(*texts: str) -> list[Endpoint]:
    return parse_endpoints([[text, 4242] for text in texts])


def order(*texts: str, same_host: bool = False) -> list[str]:
    return [found.text for found in dialling_order(endpoints(*texts), OWN, same_host=same_host)]


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "::",
        "224.0.0.251",
        "ff02::fb",
        "255.255.255.255",
        "240.0.0.1",
        "169.254.169.254",
        "fe80::1",
        "::ffff:169.254.169.254",
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "::ffff:127.0.0.1",
    ],
)
def test_an_address_that_only_this_machine_reaches_is_not_dialled(text: str) -> None:
    assert order(text) == []


@pytest.mark.parametrize("text", ["127.0.0.1", "::1"])
def test_a_loopback_address_of_the_same_host_is_dialled_first(text: str) -> None:
    assert order("192.168.7.21", text, same_host=True) == [text, "192.168.7.21"]


def test_the_nearest_network_is_dialled_first() -> None:
    far, near, same_prefix = "203.0.113.9", "192.168.7.21", "2001:db8:7::99"
    assert order(far, near, same_prefix)[-1] == far


def test_a_hostile_offer_of_many_addresses_is_cut() -> None:
    many = [f"10.0.{high}.{low}" for high in range(20) for low in range(20)]
    assert len(order(*many)) == MAX_DIALLED


def test_an_endpoint_is_dialled_once() -> None:
    assert order("192.168.7.21", "192.168.7.21", "::ffff:192.168.7.21") == ["192.168.7.21"]


@given(st.recursive(st.none() | st.integers() | st.text(max_size=20), st.lists, max_leaves=12))
def test_any_offer_is_read(offered: Any) -> None:
    assert all(1 <= found.port <= 65_535 for found in parse_endpoints(offered))


@pytest.mark.parametrize(
    "entry",
    [
        ["192.0.2.1", 0],
        ["192.0.2.1", 65_536],
        ["192.0.2.1", True],
        ["192.0.2.1", "80"],
        ["example.org", 80],
        ["192.0.2.1"],
        ["fe80::1%eth0\n", 80],
        "192.0.2.1:80",
    ],
)
def test_what_is_not_an_address_and_a_port_is_left_out(entry: Any) -> None:
    assert parse_endpoints([entry, ["192.0.2.9", 80]]) == endpoints_of("192.0.2.9", 80)


def endpoints_of(text: str, port: int) -> list[Endpoint]:
    return [Endpoint(ipaddress.ip_address(text), port)]


def test_this_machine_has_a_loopback_address_and_no_link_local_one() -> None:
    found = local_addresses()
    assert any(address.is_loopback for address in found)
    assert not any(address.is_link_local for address in found)


def test_the_tag_of_a_host_depends_on_the_link() -> None:
    assert host_tag(b"one") == host_tag(b"one")
    assert host_tag(b"one") != host_tag(b"two")
