"""The rate of a client's requests: which addresses share it, which paths have their own, and who has none."""

from __future__ import annotations

import pickle

import pytest

from support.manual_clock import ManualClock
from tallow.app.server.limits.rate_limit import NETWORK_FACTORS
from tallow.app.server.limits.request_rate import OPERATIONAL_PATHS, ClientRequestRates

PER_MINUTE = 60


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def rates(clock: ManualClock) -> ClientRequestRates:
    return ClientRequestRates(PER_MINUTE, clock)


def admitted(rates: ClientRequestRates, hosts: list[str], path: str = "/api/info") -> int:
    """How many requests are admitted, each on a connection of its own."""
    answered = 0
    for host in hosts:
        rate = rates.of(host)
        answered += rate is None or rate(path) == 0
    return answered


def test_one_address_may_send_as_many_at_once_as_in_a_minute(
    rates: ClientRequestRates, clock: ManualClock
) -> None:
    assert admitted(rates, ["192.0.2.1"] * 500) == PER_MINUTE
    clock.now += 10
    assert admitted(rates, ["192.0.2.1"] * 500) == PER_MINUTE / 6
    clock.now += 3600
    assert admitted(rates, ["192.0.2.1"] * 500) == PER_MINUTE


def test_a_refused_client_is_told_when_the_next_request_is_admitted(
    rates: ClientRequestRates, clock: ManualClock
) -> None:
    rate = rates.of("192.0.2.1")
    assert rate is not None
    waits = [rate("/api/info") for _ in range(PER_MINUTE + 1)]
    assert waits[:-1] == [0] * PER_MINUTE
    clock.now += waits[-1]
    assert rate("/api/info") == 0


@pytest.mark.parametrize(
    ("hosts", "factor"),
    [
        ([f"192.0.2.{n}" for n in range(256)], NETWORK_FACTORS[1]),
        ([f"2001:db8::{n:x}" for n in range(256)], NETWORK_FACTORS[0]),
        ([f"2001:db8:0:{n:x}::1" for n in range(256)], NETWORK_FACTORS[1]),
        ([f"2001:db8:{n:x}::1" for n in range(256)], NETWORK_FACTORS[2]),
    ],
    ids=["IPv4 /24", "IPv6 /64", "IPv6 /48", "IPv6 /40"],
)
def test_a_network_has_a_multiple_of_the_rate_of_an_address(
    rates: ClientRequestRates, hosts: list[str], factor: int
) -> None:
    assert admitted(rates, hosts * 10) == PER_MINUTE * factor


@pytest.mark.parametrize("path", sorted(OPERATIONAL_PATHS))
def test_other_requests_of_an_address_leave_the_rate_of_its_probes(
    rates: ClientRequestRates, path: str
) -> None:
    assert admitted(rates, ["192.0.2.1"] * 500) == PER_MINUTE
    assert admitted(rates, ["192.0.2.1"] * 500, path) == PER_MINUTE
    assert admitted(rates, ["192.0.2.1"] * 500, path) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""], ids=repr)
def test_requests_from_this_machine_have_no_rate(rates: ClientRequestRates, host: str) -> None:
    assert rates.of(host) is None


def test_it_can_be_sent_to_a_worker() -> None:
    rates = pickle.loads(pickle.dumps(ClientRequestRates(PER_MINUTE)))
    assert admitted(rates, ["192.0.2.1"] * 500) == PER_MINUTE
