"""Which connection gives its place to a new one, and whose time has passed."""

from __future__ import annotations

import ipaddress

import pytest

from support.manual_clock import ManualClock
from tallow.monitoring.integrations.http_server.connection_table import (
    Connection,
    ConnectionState,
    ConnectionTable,
)
from tallow.monitoring.integrations.http_server.limits import (
    RESERVED_CONNECTIONS,
    ConnectionLimits,
    address_prefix,
)


class Server:
    """A table, its refusals, and the connections that it closed."""

    def __init__(self, total: int = 100, **limits: object) -> None:
        self.refused: list[str] = []
        self.closed: list[Connection] = []
        self.timed_out: list[Connection] = []
        self.clock = ManualClock()
        given = ConnectionLimits(on_refusal=self.refused.append, **limits)  # type: ignore[arg-type]
        self.table = ConnectionTable(given, total, self.clock)

    def open(self, host: str, state: ConnectionState = ConnectionState.HEADER) -> Connection:
        connection = self.table.open(host)
        connection.abort = lambda: self.closed.append(connection)
        connection.enter(state)
        return connection


HEADER, IDLE, BODY, JOINING, ACTIVE = (
    *(ConnectionState.HEADER, ConnectionState.IDLE, ConnectionState.BODY),
    *(ConnectionState.JOINING, ConnectionState.ACTIVE),
)


def test_above_the_limit_of_an_address_its_longest_waiting_connection_is_closed() -> None:
    server = Server(connections_per_address=3)
    other = server.open("192.0.2.9")
    first, _, _ = (server.open("192.0.2.1") for _ in range(3))
    newest = server.open("192.0.2.1")
    assert server.closed == [first]
    assert server.refused == ["connections_per_address"]
    assert newest.limit == ""
    assert other not in server.closed


@pytest.mark.parametrize(
    ("states", "closed"),
    [
        ((ACTIVE, HEADER, IDLE), 2),
        ((BODY, JOINING, HEADER), 0),
        ((HEADER, BODY, JOINING), 0),
        ((ACTIVE, JOINING, BODY), 1),
        ((ACTIVE, BODY, ACTIVE), 1),
    ],
)
def test_an_idle_connection_or_the_longest_waiting_one_is_closed(
    states: tuple[ConnectionState, ...], closed: int
) -> None:
    """Closing an idle connection costs its client nothing; one in use is never closed."""
    for limits in ({"connections_per_address": 3}, {"total": 3}):
        server = Server(**limits)
        opened = []
        for state in states:
            server.clock.now += 1
            opened.append(server.open("192.0.2.1", state))
        server.open("192.0.2.1")
        assert server.closed == [opened[closed]]


def test_a_connection_whose_response_is_not_sent_yet_is_not_closed() -> None:
    """It waits for the next request already. Closed now, its client would get half of the response."""
    for limits in ({"connections_per_address": 2}, {"total": 2}):
        server = Server(**limits)
        answered = server.open("192.0.2.1", IDLE)
        answered.unsent_bytes = lambda: 1
        silent = server.open("192.0.2.1")
        server.open("192.0.2.1")
        assert server.closed == [silent]


def test_where_every_connection_is_in_use_a_new_one_gets_a_reserved_place() -> None:
    server = Server(total=2)
    used = [server.open(f"192.0.2.{number}", ACTIVE) for number in range(2)]
    reserved = [server.open("192.0.2.9") for _ in range(RESERVED_CONNECTIONS + 5)]
    assert all(connection.limit == "max_connections" for connection in reserved)
    assert server.closed == reserved[:5]
    used[0].release()
    assert server.open("192.0.2.9").limit == ""


def test_ipv6_addresses_of_one_64_network_are_one_client() -> None:
    server = Server(connections_per_address=2)
    first = server.open("2001:db8::1")
    server.open("2001:db8:0:1::1")
    server.open("2001:db8::ffff%eth0")
    server.open("2001:db8::2")
    assert server.closed == [first]
    assert address_prefix("::ffff:192.0.2.1") == address_prefix("192.0.2.1")
    assert address_prefix("192.0.2.1") != address_prefix("192.0.2.2")


def test_connections_of_a_trusted_proxy_count_in_the_total_only() -> None:
    networks = (ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32"))
    server = Server(total=5, connections_per_address=2, trusted_proxies=networks)
    opened = [server.open("192.0.2.1") for _ in range(6)]
    assert server.closed == opened[:1]
    assert server.refused == ["max_connections"]


def test_a_websocket_does_not_count_for_its_address() -> None:
    server = Server(connections_per_address=1)
    socket = server.open("192.0.2.1")
    socket.upgrade()
    socket.enter(ACTIVE)
    server.open("192.0.2.1")
    assert server.closed == []
    assert len(server.table) == 2


def test_released_connections_leave_nothing_behind() -> None:
    server = Server()
    for state in ConnectionState:
        connection = server.open("192.0.2.1", state)
        connection.pause_writing()
        connection.release()
        connection.release()
        connection.enter(IDLE)
    assert len(server.table) == 0
    assert not any(vars(server.table)[name] for name in ("_by_address", "_reserved", "_unread", "_closing"))
    assert not any(vars(server.table)["_by_state"].values())


class _Protocol:
    def __init__(self, server: Server, connection: Connection) -> None:
        self._server, self._connection = server, connection

    def time_out(self, _limit: str) -> None:
        self._server.timed_out.append(self._connection)


def test_time_limits_end_a_header_a_body_and_a_response_that_is_not_read() -> None:
    server = Server(header_timeout=10, body_timeout=30, write_timeout=60)
    silent = server.open("192.0.2.1")
    trickling = server.open("192.0.2.1", BODY)
    deaf, idle = server.open("192.0.2.1", ACTIVE), server.open("192.0.2.1", IDLE)
    for connection in (trickling, deaf, idle):
        connection.protocol = _Protocol(server, connection)
    deaf.pause_writing()
    seen = []
    for server.clock.now in (9, 10, 29, 30, 59, 60, 1000):
        server.table.close_expired()
        seen.append((len(server.closed), len(server.timed_out)))
    assert seen == [(0, 0), (1, 0), (1, 0), (1, 1), (1, 1), (2, 1), (2, 1)]
    assert server.closed == [silent, deaf]  # without a protocol yet, as in a TLS handshake; not reading
    assert server.timed_out == [trickling]
    assert server.refused == ["header_timeout", "body_timeout", "write_timeout"]


def test_the_header_of_a_further_request_has_a_time_limit_of_its_own() -> None:
    server = Server(header_timeout=10)
    connection = server.open("192.0.2.1", IDLE)
    server.clock.now = 100
    server.table.close_expired()
    assert server.closed == []
    connection.enter(HEADER)
    server.clock.now = 110
    server.table.close_expired()
    assert server.closed == [connection]


def test_a_connection_that_stays_closing_is_aborted() -> None:
    server = Server()
    connection = server.open("192.0.2.1", ACTIVE)
    connection.is_closing = lambda: True
    server.table.abort_closing()
    assert server.closed == []
    server.table.abort_closing()
    assert server.closed == [connection]
