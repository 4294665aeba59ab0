"""The rate of new connections of one client: which addresses share it, and which have none."""

from __future__ import annotations

import pickle

import pytest

from support.manual_clock import ManualClock
from tallow.app.server.limits.connection_rate import LIMIT, MAX_REFUSED, ConnectionRate
from tallow.app.server.limits.rate_limit import MAX_KEYS, NETWORK_FACTORS

PER_MINUTE = 60


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def rate(clock: ManualClock) -> ConnectionRate:
    return ConnectionRate(PER_MINUTE, clock)


def admitted(rate: ConnectionRate, hosts: list[str]) -> int:
    answers = [rate(host) for host in hosts]
    assert set(answers) <= {"", LIMIT}
    return answers.count("")


def test_one_address_may_open_as_many_at_once_as_in_a_minute(
    rate: ConnectionRate, clock: ManualClock
) -> None:
    assert admitted(rate, ["192.0.2.1"] * 500) == PER_MINUTE
    clock.now += 10
    assert admitted(rate, ["192.0.2.1"] * 500) == PER_MINUTE / 6
    clock.now += 3600
    assert admitted(rate, ["192.0.2.1"] * 500) == PER_MINUTE


@pytest.mark.parametrize(
    ("hosts", "factor"),
    [
        ([f"192.0.2.{n}" for n in range(256)], NETWORK_FACTORS[1]),
        ([f"::ffff:192.0.2.{n}" for n in range(256)], NETWORK_FACTORS[1]),
        ([f"2001:db8::{n:x}" for n in range(256)], NETWORK_FACTORS[0]),
        ([f"2001:db8:0:{n:x}::1" for n in range(256)], NETWORK_FACTORS[1]),
        ([f"2001:db8:{n:x}::1" for n in range(256)], NETWORK_FACTORS[2]),
    ],
    ids=["IPv4 /24", "IPv4 /24 mapped", "IPv6 /64", "IPv6 /48", "IPv6 /40"],
)
def test_a_network_has_a_multiple_of_the_rate_of_an_address(
    rate: ConnectionRate, hosts: list[str], factor: int
) -> None:
    assert admitted(rate, hosts * 10) == PER_MINUTE * factor


def test_a_client_of_another_network_is_not_concerned(rate: ConnectionRate) -> None:
    admitted(rate, ["192.0.2.1", "2001:db8::1"] * 500)
    assert admitted(rate, ["198.51.100.1", "2001:db9::1", "192.0.2.2"]) == 3


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""], ids=repr)
def test_probes_from_this_machine_are_always_admitted(rate: ConnectionRate, host: str) -> None:
    assert admitted(rate, [host] * 500) == 500


def test_many_addresses_take_bounded_memory_and_stay_limited(rate: ConnectionRate) -> None:
    """A client with a /40 that uses each address once has the rate of its /40."""
    hosts = [f"2001:db8:{n % 256:x}:{n // 256:x}::1" for n in range(3 * MAX_KEYS)]
    assert admitted(rate, hosts) == PER_MINUTE * NETWORK_FACTORS[2]
    assert len(rate._limiter) <= MAX_KEYS


def test_refused_clients_take_bounded_memory(rate: ConnectionRate) -> None:
    hosts = [f"2001:db8::{n:x}" for n in range(3 * MAX_REFUSED)]
    admitted(rate, hosts)
    assert len(rate._refused_until) == MAX_REFUSED


def test_a_refused_client_is_admitted_as_soon_as_there_is_room(
    rate: ConnectionRate, clock: ManualClock
) -> None:
    """One per second: neither earlier nor later, however often it tries."""
    admitted(rate, ["192.0.2.1"] * 500)
    for _ in range(5):
        clock.now += 0.5
        assert admitted(rate, ["192.0.2.1"] * 50) == 0
        clock.now += 0.5
        assert admitted(rate, ["192.0.2.1"] * 50) == 1


def test_it_can_be_sent_to_a_worker() -> None:
    assert admitted(pickle.loads(pickle.dumps(ConnectionRate(PER_MINUTE))), ["192.0.2.1"] * 500) == PER_MINUTE
