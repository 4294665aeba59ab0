"""Rate limits of clients and of the networks that they belong to, in tables of bounded size."""

from __future__ import annotations

import math
import random
from ipaddress import IPv6Address

import pytest

from support.manual_clock import ManualClock
from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.limits.rate_limit import MAX_KEYS, NETWORK_FACTORS, KeyedRateLimiter

PER_MINUTE = 60
HASHER = ClientAddressHasher()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limiter(clock: ManualClock) -> KeyedRateLimiter:
    return KeyedRateLimiter(PER_MINUTE, clock)


def take(limiter: KeyedRateLimiter, host: str) -> float:
    return limiter.take_from_networks(HASHER.networks({"client": (host, 1)}))


def admitted(limiter: KeyedRateLimiter, hosts: list[str], rounds: int) -> int:
    return sum(not take(limiter, host) for _ in range(rounds) for host in hosts)


def test_one_address_has_its_rate(limiter: KeyedRateLimiter, clock: ManualClock) -> None:
    assert admitted(limiter, ["192.0.2.1"], 2 * PER_MINUTE) == PER_MINUTE
    wait = take(limiter, "192.0.2.1")
    assert 0 < wait <= 1
    clock.now += math.ceil(wait)
    assert take(limiter, "192.0.2.1") == 0


@pytest.mark.parametrize(
    ("hosts", "factor"),
    [
        ([f"192.0.2.{n}" for n in range(256)], NETWORK_FACTORS[1]),
        ([f"2001:db8:1:{n:x}::1" for n in range(256)], NETWORK_FACTORS[1]),
        ([f"2001:db8:{n:x}::1" for n in range(256)], NETWORK_FACTORS[2]),
        ([f"2001:db8:1:1::{n:x}" for n in range(256)], 1),
    ],
    ids=["IPv4 /24", "IPv6 /48", "IPv6 /40", "IPv6 /64"],
)
def test_addresses_of_one_network_share_its_rate(
    limiter: KeyedRateLimiter, hosts: list[str], factor: int
) -> None:
    assert admitted(limiter, hosts, 8) == factor * PER_MINUTE
    assert take(limiter, "198.51.100.1") == 0


def test_what_a_wider_network_refuses_costs_the_address_nothing(
    limiter: KeyedRateLimiter, clock: ManualClock
) -> None:
    admitted(limiter, [f"192.0.2.{n}" for n in range(200)], 2)
    assert take(limiter, "192.0.2.250") > 0
    clock.now += 60
    assert admitted(limiter, ["192.0.2.250"], PER_MINUTE) == PER_MINUTE


def test_random_addresses_take_bounded_memory_and_gain_no_rate(limiter: KeyedRateLimiter) -> None:
    """Addresses of one /40 drive each other out of the table; the buckets of their networks stay."""
    chance = random.Random(17)
    network = int(IPv6Address("2001:db8::"))
    hosts = [str(IPv6Address(network | chance.getrandbits(24) << 64)) for _ in range(MAX_KEYS + 5_000)]
    assert admitted(limiter, hosts, 1) == NETWORK_FACTORS[2] * PER_MINUTE
    assert len(limiter) == MAX_KEYS
