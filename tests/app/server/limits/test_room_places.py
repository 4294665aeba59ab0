"""Places for rooms: a flood from few networks leaves places to everybody else."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.limits.room_places import RoomLimitError, RoomPlaces

MAX_ROOMS = 100_000
PER_ADDRESS = 1_000
SHARE = 0.1
HASHER = ClientAddressHasher()


@pytest.fixture
def places() -> RoomPlaces:
    return RoomPlaces(MAX_ROOMS, PER_ADDRESS, SHARE)


def networks(host: str) -> tuple[bytes, ...]:
    return HASHER.networks({"client": (host, 1)})


def hold_as_many_as_possible(places: RoomPlaces, hosts: list[str]) -> int:
    """Every host takes a place in turn until none gets another; the number of places taken."""
    before, waiting = len(places), {host: networks(host) for host in hosts}
    while waiting:
        for host, its_networks in list(waiting.items()):
            try:
                places.take(f"flood-{len(places)}", its_networks)
            except RoomLimitError:
                del waiting[host]
    return len(places) - before


def rooms_for(places: RoomPlaces, host: str, wanted: int) -> int:
    taken = 0
    with suppress(RoomLimitError):
        for number in range(wanted):
            places.take(f"{host}-{number}", networks(host))
            taken += 1
    return taken


def test_networks_of_an_address() -> None:
    assert len(networks("192.0.2.1")) == 2
    assert len(networks("2001:db8::1")) == 3
    assert networks("192.0.2.1")[1] == networks("192.0.2.99")[1]
    assert networks("192.0.2.1")[1] != networks("192.0.3.1")[1]
    assert networks("2001:db8::1")[0] == networks("2001:db8::ffff")[0]
    assert networks("2001:db8:0:1::1")[1] == networks("2001:db8:0:2::1")[1]
    assert networks("2001:db8:1::1")[2] == networks("2001:db8:ff::1")[2]
    assert networks("2001:db8:100::1")[2] != networks("2001:db8:200::1")[2]
    assert networks("::ffff:192.0.2.1") == networks("192.0.2.1")


def test_one_address_holds_its_limit(places: RoomPlaces) -> None:
    assert hold_as_many_as_possible(places, ["192.0.2.1"]) == PER_ADDRESS
    with pytest.raises(RoomLimitError, match="rooms_per_address"):
        places.take("more", networks("192.0.2.1"))


def test_a_flooding_24_leaves_most_places_to_others(places: RoomPlaces) -> None:
    held = hold_as_many_as_possible(places, [f"192.0.2.{n}" for n in range(256)])
    assert held <= MAX_ROOMS / 6 + 1
    assert rooms_for(places, "198.51.100.1", 500) == 500


@pytest.mark.parametrize(
    "hosts",
    [
        [f"2001:db8:{n:x}::1" for n in range(256)],  # 256 networks of 48 bits, one of 40
        [f"2001:db8:{n % 256:x}:{n // 256:x}::1" for n in range(4096)],
    ],
    ids=["one /64 of each /48", "16 /64 of each /48"],
)
def test_a_flooding_40_leaves_most_places_to_others(places: RoomPlaces, hosts: list[str]) -> None:
    assert hold_as_many_as_possible(places, hosts) <= 0.3 * MAX_ROOMS
    assert rooms_for(places, "2001:db9::1", 500) == 500
    assert rooms_for(places, "192.0.2.1", 500) == 500


def test_fifty_addresses_of_fifty_networks_leave_places_to_others(places: RoomPlaces) -> None:
    held = hold_as_many_as_possible(places, [f"10.{n}.0.1" for n in range(50)])
    assert held == 50 * PER_ADDRESS
    assert rooms_for(places, "192.0.2.1", 1000) == 1000


@pytest.mark.parametrize(("flooding", "honest"), [(50, 15), (200, 4), (900, 1)])
def test_a_small_server_has_a_place_for_a_newcomer_whoever_floods_it(flooding: int, honest: int) -> None:
    """With ``n`` flooding networks a share of 1 / (1 + n/10) of all places stays free. A newcomer gets a
    tenth of that, and one room if there is any place."""
    places = RoomPlaces(1_000, PER_ADDRESS, SHARE)
    hold_as_many_as_possible(places, [f"10.{n // 256}.{n % 256}.1" for n in range(flooding)])
    assert len(places) < 1_000
    assert rooms_for(places, "192.0.2.1", 100) >= honest


def test_who_holds_least_gets_the_places_that_are_given_back() -> None:
    places = RoomPlaces(100, 100, 0.5)
    hold_as_many_as_possible(places, ["10.0.0.1", "10.0.1.1"])
    places.release("flood-0")
    places.take("new", networks("192.0.2.1"))
    with pytest.raises(RoomLimitError, match="room_share"):
        places.take("flood", networks("10.0.1.1"))


def test_a_full_server_refuses_everybody() -> None:
    places = RoomPlaces(1, 1, SHARE)
    places.take("one", networks("192.0.2.1"))
    with pytest.raises(RoomLimitError, match="max_rooms"):
        places.take("two", networks("198.51.100.1"))


def test_the_bookkeeping_is_exact_after_any_order_of_takes_and_releases(places: RoomPlaces) -> None:
    chance = random.Random(17)
    hosts = [f"10.0.{n % 3}.{n}" for n in range(9)] + [f"2001:db8:{n % 3:x}:{n:x}::1" for n in range(9)]
    held: dict[str, str] = {}
    for number in range(20_000):
        if held and chance.random() < 0.5:
            room = chance.choice(list(held))
            places.release(room)
            places.release(room)  # twice: the place is given back once
            del held[room]
        else:
            host = chance.choice(hosts)
            places.take(f"room-{number}", networks(host))
            held[f"room-{number}"] = host
        assert len(places) == len(held)
    for host in hosts:
        assert places._held.get(networks(host)[0], 0) == list(held.values()).count(host)
    for room in held:
        places.release(room)
    assert len(places) == 0
    assert places._held == {}


def test_a_refused_room_takes_no_place(places: RoomPlaces) -> None:
    hold_as_many_as_possible(places, ["192.0.2.1"])
    before = dict(places._held)
    with pytest.raises(RoomLimitError):
        places.take("more", networks("192.0.2.1"))
    assert "more" not in places
    assert places._held == before
