"""The connections of a server: what each is waiting for, and which one gives its place to a new one.

A new connection is always accepted. Where a limit is reached, the connection that has been waiting longest
without a complete request is closed in its place: strangers who stay silent displace one another, and a probe
that sends its request at once is answered. Only where every connection is in use, a new one gets a reserved
place, in which the operational endpoints are served and everything else is refused.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from itertools import islice
from operator import attrgetter
from typing import Final, Protocol

from tallow.monitoring.integrations.http_server.limits import (
    MIN_CONNECTIONS,
    RESERVED_CONNECTIONS,
    ConnectionLimits,
    address_prefix,
)


class ConnectionState(Enum):
    """What a connection is waiting for."""

    HEADER = "header"
    """The end of a request's header."""
    IDLE = "idle"
    """The next request."""
    JOINING = "joining"
    """The first message of a WebSocket."""
    BODY = "body"
    """The end of a request's body."""
    ACTIVE = "active"
    """Nothing: a request is answered, or a WebSocket is in use."""


WAITING: Final = (ConnectionState.HEADER, ConnectionState.JOINING, ConnectionState.BODY)
"""States that give their place up after idle connections, to which it makes no difference. The longest wait
ends first, whatever it is for: a client that has just connected would give way to half a body otherwise."""


MAX_SEARCH: Final = RESERVED_CONNECTIONS + 64
"""Connections of one state that are looked at: the first may be in reserved places, or wait for a reader."""


class ConnectionProtocol(Protocol):
    """What the table needs of the protocol object of a connection."""

    def time_out(self, limit: str) -> None:
        """Close the connection because a time limit has passed."""


class Connection:
    """One connection.

    Attributes:
        limit: name of the limit above which it was accepted: it has a reserved place. Empty otherwise.
        state: what it is waiting for.
        since: when it began to, in seconds of the table's clock.
        protocol: set when the connection can be answered, after a TLS handshake.
        abort: closes the connection at once, without sending what is buffered.
        is_closing: whether the connection was closed and only buffered data keep it open.
        unsent_bytes: how much of a response is buffered.
    """

    __slots__ = (
        "_table",
        "abort",
        "deadline",
        "is_closing",
        "limit",
        "prefix",
        "protocol",
        "since",
        "state",
        "unsent_bytes",
        "writes_by",
    )

    def __init__(self, table: ConnectionTable | None = None, prefix: bytes = b"", limit: str = "") -> None:
        self._table = table
        self.prefix = prefix
        self.limit = limit
        self.state = ConnectionState.HEADER
        self.since = 0.0
        self.deadline = 0.0
        self.writes_by = 0.0
        self.protocol: ConnectionProtocol | None = None
        self.abort: Callable[[], None] = _nothing
        self.is_closing: Callable[[], bool] = _never
        self.unsent_bytes: Callable[[], int] = _no_bytes

    def enter(self, state: ConnectionState) -> None:
        """Change the state, and start its time limit."""
        if self.state is not state and self._table is not None:
            self._table.move(self, state)
        self.state = state

    def upgrade(self) -> None:
        """The connection becomes a WebSocket. It does not count as a connection of its address any more."""
        if self._table is not None:
            self._table.detach_from_address(self)
        self.enter(ConnectionState.JOINING)

    def pause_writing(self) -> None:
        """The client does not read."""
        if self._table is not None:
            self._table.pause_writing(self)

    def resume_writing(self) -> None:
        """The client has read."""
        if self._table is not None:
            self._table.resume_writing(self)

    def refuse(self, limit: str) -> None:
        """Report that a limit refuses the connection or its request."""
        if self._table is not None:
            self._table.limits.on_refusal(limit)

    def release(self) -> None:
        """The connection is closed. Releasing twice is allowed."""
        if self._table is not None:
            self._table.release(self)
            self._table = None
        # They hold the transport and the protocol, which hold this object.
        self.abort, self.is_closing, self.unsent_bytes, self.protocol = _nothing, _never, _no_bytes, None


def _nothing() -> None:
    """The connection has no transport yet."""


def _never() -> bool:
    return False


def _no_bytes() -> int:
    return 0


class ConnectionTable:
    """Counts connections, makes room for new ones, and finds those whose time has passed.

    Args:
        limits: on the connections.
        total: connections at a time.
        clock: monotonic seconds.
    """

    def __init__(
        self, limits: ConnectionLimits, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self.total = self._configured_total = total
        self._clock = clock
        self._timeouts = {
            ConnectionState.HEADER: ("header_timeout", limits.header_timeout),
            ConnectionState.BODY: ("body_timeout", limits.body_timeout),
        }
        # In the order of entering the state, which is that of the deadlines.
        self._by_state: dict[ConnectionState, OrderedDict[Connection, None]] = {
            state: OrderedDict() for state in ConnectionState
        }
        self._by_address: dict[bytes, dict[Connection, None]] = {}
        self._reserved: OrderedDict[Connection, None] = OrderedDict()
        self._unread: OrderedDict[Connection, None] = OrderedDict()
        self._closing: set[Connection] = set()

    def __len__(self) -> int:
        """Connections, without those in reserved places."""
        return sum(map(len, self._by_state.values())) - len(self._reserved)

    def admits(self, host: str) -> bool:
        """Whether a connection from an address may be opened. A refusal is reported."""
        limit = "" if self.limits.is_trusted_proxy(host) else self.limits.refused_by(host)
        if limit:
            self.limits.on_refusal(limit)
        return not limit

    def open(self, host: str) -> Connection:
        """Make room for a connection from an address, and count it."""
        trusted = self.limits.is_trusted_proxy(host)
        prefix = b"" if trusted else address_prefix(host)
        exceeded = self._make_room(prefix)
        connection = Connection(self, prefix, exceeded)
        if exceeded:
            self._reserve(connection)
        elif prefix:
            self._by_address.setdefault(prefix, {})[connection] = None
        self._enter(connection, ConnectionState.HEADER)
        return connection

    def lower_total(self) -> None:
        """Allow fewer connections than there are, as the process has no descriptor left.

        What uses its descriptors is not known here. :meth:`close_expired` raises the total again, slowly.
        """
        self.limits.on_refusal("reserved_descriptors")
        self.total = max(MIN_CONNECTIONS, len(self) - RESERVED_CONNECTIONS)
        while len(self) > self.total and self._evict(self._longest_waiting(), "reserved_descriptors"):
            pass

    def move(self, connection: Connection, state: ConnectionState) -> None:
        """Change the state of a connection."""
        self._by_state[connection.state].pop(connection, None)
        self._enter(connection, state)

    def detach_from_address(self, connection: Connection) -> None:
        """Stop counting a connection for its address."""
        held = self._by_address.get(connection.prefix)
        if held is not None:
            held.pop(connection, None)
            if not held:
                del self._by_address[connection.prefix]

    def release(self, connection: Connection) -> None:
        """Forget a connection."""
        self._by_state[connection.state].pop(connection, None)
        self._reserved.pop(connection, None)
        self._unread.pop(connection, None)
        self._closing.discard(connection)
        self.detach_from_address(connection)

    def pause_writing(self, connection: Connection) -> None:
        """Start the time limit for a client that does not read."""
        connection.writes_by = self._clock() + self.limits.write_timeout
        self._unread[connection] = None
        self._unread.move_to_end(connection)

    def resume_writing(self, connection: Connection) -> None:
        """End the time limit for a client that does not read."""
        self._unread.pop(connection, None)

    def close_expired(self) -> None:
        """Close the connections whose time has passed."""
        now = self._clock()
        self.total = min(self.total + 1, self._configured_total)
        for state, (limit, _) in self._timeouts.items():
            for connection in _expired(self._by_state[state], now):
                self.limits.on_refusal(limit)
                if connection.protocol is None:
                    self._abort(connection)
                else:
                    connection.enter(ConnectionState.ACTIVE)
                    connection.protocol.time_out(limit)
        while self._unread and next(iter(self._unread)).writes_by <= now:
            self.limits.on_refusal("write_timeout")
            self._abort(next(iter(self._unread)))

    def abort_closing(self) -> None:
        """Abort the connections that were closing at the last call already: their clients do not read."""
        for connection in tuple(self._closing):
            connection.abort()
        self._closing = {
            connection
            for connections in self._by_state.values()
            for connection in connections
            if connection.is_closing()
        } - self._closing

    def _enter(self, connection: Connection, state: ConnectionState) -> None:
        connection.since = self._clock()
        if state in self._timeouts:
            connection.deadline = self._clock() + self._timeouts[state][1]
        self._by_state[state][connection] = None

    def _make_room(self, prefix: bytes) -> str:
        """Close a waiting connection where a limit is reached; the limit's name if there is none to close."""
        held = self._by_address.get(prefix, {}) if prefix else {}
        if len(held) >= self.limits.connections_per_address and not self._evict(
            _first_waiting(held), "connections_per_address"
        ):
            return "connections_per_address"
        if len(self) >= self.total and not self._evict(self._longest_waiting(), "max_connections"):
            return "max_connections"
        return ""

    def _longest_waiting(self) -> Connection | None:
        idle = self._first_evictable(ConnectionState.IDLE)
        return idle or _longest(filter(None, map(self._first_evictable, WAITING)))

    def _first_evictable(self, state: ConnectionState) -> Connection | None:
        for connection in islice(self._by_state[state], MAX_SEARCH):
            if not connection.limit and not connection.unsent_bytes():
                return connection
        return None

    def _evict(self, connection: Connection | None, limit: str) -> bool:
        if connection is None:
            return False
        self.limits.on_refusal(limit)
        self._abort(connection)
        return True

    def _reserve(self, connection: Connection) -> None:
        if len(self._reserved) >= RESERVED_CONNECTIONS:
            oldest = next(iter(self._reserved))
            self._evict(oldest, oldest.limit)
        self._reserved[connection] = None

    def _abort(self, connection: Connection) -> None:
        abort = connection.abort
        connection.release()
        abort()


def _first_waiting(connections: dict[Connection, None]) -> Connection | None:
    """An idle connection, else the one that has been waiting longest."""
    idle, waiting = [], []
    for connection in connections:
        if not connection.unsent_bytes():
            if connection.state is ConnectionState.IDLE:
                idle.append(connection)
            elif connection.state in WAITING:
                waiting.append(connection)
    return _longest(idle) or _longest(waiting)


def _longest(connections: Iterable[Connection]) -> Connection | None:
    return min(connections, key=attrgetter("since"), default=None)


def _expired(connections: OrderedDict[Connection, None], now: float) -> Iterator[Connection]:
    while connections:
        first = next(iter(connections))
        if first.deadline > now:
            return
        yield first
