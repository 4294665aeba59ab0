"""All rooms of this process: creation, joining, outcomes and expiry."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final

from tallow.app.room_ids import new_room_ids
from tallow.app.server.limits.address_quota import AddressQuota
from tallow.app.server.limits.room_places import RoomPlaces
from tallow.app.server.rooms.analytics import RoomAnalytics
from tallow.app.server.rooms.cache import Cache
from tallow.app.server.rooms.client_outcomes import ClientOutcomes, outcomes_of
from tallow.app.server.rooms.metrics import RoomMetrics
from tallow.app.server.rooms.room import Member, PeerConnection, Room
from tallow.app.server.rooms.store import NEVER, OPEN, RoomRecord, Store, StoreError, new_records
from tallow.app.server.rooms.token_store import TokenStore
from tallow.app.server.rooms.transfer_monitor import TransferMonitor
from tallow.app.server.rooms.unjoined import UNJOINED_S, UnjoinedRooms
from tallow.app.server.settings import ServerSettings
from tallow.app.wire import ROOM_ID, CloseReason, Role, TransferMethod, TransferOutcome
from tallow.monitoring import correlation
from tallow.monitoring.catalog import METRICS
from tallow.monitoring.errors import report_error
from tallow.monitoring.logging import transfer_logger
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.sample import Sample

LINGER_S: Final = 600
"""How long a finished, empty room stays in memory, for late reports."""
MAX_LINGERING: Final = 10_000
"""Finished rooms in memory. Above it the oldest are removed earlier."""
ABANDONED_S: Final = 600
"""How long a room that both peers have left without an outcome keeps its place."""
KEPT_S: Final = 3600
"""How long the link of a room that gave its place back is remembered: to say that the transfer is over, or to
go on after a failure."""


class RoomManager:
    """Creates rooms and holds those that a peer has joined since the start; the others are in the store.

    Args:
        clock: monotonic seconds.
        wall_clock: seconds since the Unix epoch.
        name: of this process, the prefix of its tokens; empty if there is only one process.
        analytics: sends usage statistics; by default to Plausible, if it is set up.
        outcomes: counts outcomes by address prefix; by default nobody does.
        address_quota: what a sender's address may add to the metrics; by default anything.
        workers: of the server, which have equal parts of the limits on rooms.
        is_own_id: whether this process would own a room with an id. It creates no others: the owner knows
            when a room ends.
        owned_by_others: those of some rooms that other processes own; by default there are no others.

    Attributes:
        live: rooms in memory, by id.
        places: of the rooms that have not ended.
        end_listeners: called with each room that is removed from memory.
    """

    def __init__(
        self,
        settings: ServerSettings,
        metrics: Metrics,
        store: Store,
        cache: Cache[RoomRecord],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        name: str = "",
        analytics: RoomAnalytics | None = None,
        outcomes: ClientOutcomes | None = None,
        address_quota: AddressQuota | None = None,
        workers: int = 1,
        is_own_id: Callable[[str], bool] = lambda _room_id: True,
        owned_by_others: Callable[[Sequence[str]], Awaitable[set[str]]] | None = None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._store = store
        self._cache = cache
        self.clock = clock
        self._wall_clock = wall_clock
        self.places = RoomPlaces.of_worker(settings, workers)
        self._is_own_id = is_own_id
        self._owned_by_others = owned_by_others
        self._unjoined = UnjoinedRooms(min(UNJOINED_S, settings.room_lifetime))
        self._ended: dict[str, Room] = {}
        """Finished rooms in memory, in the order of their ends."""
        self.live: dict[str, Room] = {}
        self.relay_tickets: TokenStore[tuple[Room, Member]] = TokenStore(name)
        self.report_tokens: TokenStore[tuple[Room, Role]] = TokenStore(name)
        self.room_metrics = RoomMetrics(metrics, settings, workers)
        self.analytics = analytics or RoomAnalytics()
        self._outcomes = outcomes
        self._address_quota = address_quota
        self._monitor = TransferMonitor()
        self.end_listeners: list[Callable[[Room], None]] = [self.analytics.removed, self._monitor.removed]

    async def create(
        self, token_hash: str, correlation_id: str, networks: Sequence[bytes], receivers: int = 1
    ) -> RoomRecord:
        """Create the rooms of a link, one for each receiver. Each has a place and a correlation id.

        Args:
            token_hash: SHA-256 of the join token, hexadecimal.
            correlation_id: of the link's first room.
            networks: hashes of the networks of the client's address, see :class:`RoomPlaces`.

        Returns:
            The room that the link names.

        Raises:
            RoomLimitError: the address, its network or the server would have more rooms than it may.
            StoreError: the database is not available.
        """
        now = self._wall_clock()
        expires = now + self._settings.room_lifetime
        records = new_records(self._new_ids(receivers), token_hash, now, expires, correlation_id)
        try:
            for record in records:
                self.places.take(record.id, networks)
            await asyncio.gather(*(self._store.add(record) for record in records))
        except BaseException:
            for record in records:
                self.places.release(record.id)
            raise
        for record in records:
            self._unjoined.add(record.id, self.clock())
            await self._cache.set(record.id, record)
            self.analytics.room_created()
        return records[-1]

    def _new_ids(self, receivers: int) -> list[str]:
        while not self._is_own_id((room_ids := new_room_ids(receivers))[0]):
            pass
        return room_ids

    async def open_room(self, room_id: str, token: bytes) -> Room | None:
        """The room that a join token opens; it stays in memory from now on.

        None if there is no such room, it has expired, or the token is wrong: the caller cannot tell which, so
        that nobody without the link learns whether a room exists.

        Raises:
            StoreError: the database is not available.
        """
        if not ROOM_ID.fullmatch(room_id):
            return None
        record = await self._find(room_id)
        if record is None:
            return None
        seconds_left = record.expires - self._wall_clock()
        if seconds_left <= 0 or not record.matches_token(token):
            return None
        self._unjoined.remove(room_id)
        now = self.clock()
        return self.live.setdefault(room_id, Room(record, now + seconds_left, empty_since=now))

    async def _find(self, room_id: str) -> RoomRecord | None:
        record = await self._cache.get(room_id)
        if room_id in self.live:
            # The store forgets a failed transfer after a while; here it may go on.
            return self.live[room_id].record
        if record is None:
            record = await self._store.find(room_id)
            if record is not None:
                await self._cache.set(room_id, record)
        return record

    def join(
        self,
        room: Room,
        role: Role,
        connection: PeerConnection,
        device: str,
        rejoin_key: str | None,
        *,
        do_not_track: bool = False,
        cell: int | None = None,
    ) -> tuple[Member, Member | None]:
        """Add a member, with a relay ticket and a telemetry token.

        Args:
            do_not_track: the peer does not want to be counted in usage statistics.
            cell: of the peer's address, see :class:`ClientOutcomes`.

        Returns:
            The member, and the one that it replaces, if any.

        Raises:
            RoleTakenError: see :meth:`Room.join`.
        """
        old = room.join(role, connection, device, rejoin_key, self.clock())
        if old is not None:
            self._revoke_ticket(old)
        if role == "sender":
            room.sender_cell = cell
        member = room.members[role]
        member.relay_ticket = self.relay_tickets.issue((room, member))
        self.issue_report_token(room, role)
        self.room_metrics.update(room, self.clock())
        self.analytics.joined(room, role, do_not_track=do_not_track, now=self.clock())
        return member, old

    def issue_report_token(self, room: Room, role: Role) -> str:
        """Issue a one-time telemetry token; the role's last one is revoked."""
        last = room.report_tokens.get(role)
        if last is not None:
            self.report_tokens.revoke(last)
        token = room.report_tokens[role] = self.report_tokens.issue((room, role))
        return token

    async def start_transfer(self, room: Room, method: TransferMethod) -> None:
        """Note that the sender says that data flows."""
        first = room.start(method, self.clock())
        if first:
            self.room_metrics.transfer_started(room)
        self.room_metrics.update(room, self.clock())
        if first:
            transfer_logger.info(
                "Transfer started", method=method, connect_ms=room.milliseconds_together(self.clock())
            )
            self.analytics.started(room, method, self.clock())
            self._monitor.started(room, method)
            await self._save_state(room)

    def set_confirmation(self, room: Room, *, pending: bool) -> None:
        """Note that the person at the receiver is asked (``pending``), or has agreed."""
        now = self.clock()
        if pending:
            room.begin_confirmation(now + self._settings.confirmation_limit, now)
        else:
            room.end_confirmation(now)
        self.room_metrics.update(room, now)

    def leave(
        self, room: Room, member: Member, outcome: TransferOutcome | None, *, resumable: bool = False
    ) -> bool:
        """Remove a member; False if another connection has replaced it.

        Args:
            outcome, resumable: see :meth:`Room.leave`.
        """
        wait, grace = self._settings.outcome_report_timeout, self._settings.sender_reconnect_grace
        was_member = room.leave(
            member, self.clock(), outcome=outcome, wait=wait, grace=grace, resumable=resumable
        )
        if was_member:
            self._revoke_ticket(member)
            self.room_metrics.update(room, self.clock())
        return was_member

    async def conclude_unused(self, room: Room) -> None:
        """Use up the link of a room whose sender left before a receiver joined. Nothing is counted.

        A stopped transfer whose outcome was reported before the sender left is stored as stopped.
        """
        if room.is_stopped and room.outcome is not None:
            await self._save_state(room)
        if (
            room.announced_outcome is not None
            and not room.was_transfer
            and room.conclude(room.announced_outcome, self.clock())
        ):
            self._give_place_back(room)
            await self._save_state(room)

    async def conclude(
        self,
        room: Room,
        outcome: TransferOutcome,
        error_type: str | None = None,
        samples: Sequence[Sample] = (),
    ) -> bool:
        """Set the outcome of a transfer without counting it; False if it has one.

        Args:
            error_type: of a failed transfer, as in ``errors_total``.
            samples: of the report that brought the outcome.
        """
        if not room.conclude(outcome, self.clock()):
            return False
        self._give_place_back(room)
        self.room_metrics.update(room, self.clock())
        with correlation.bind(room.record.correlation_id):  # the periodic task has no id bound
            self._log_outcome(room, outcome, error_type)
            self._monitor.ended(room, outcome)
            self.analytics.concluded(room, outcome, self.clock(), error_type=error_type, samples=samples)
            await self._save_state(room)
        return True

    @staticmethod
    def _log_outcome(room: Room, outcome: TransferOutcome, error_type: str | None) -> None:
        failure = {"error_type": error_type or "unknown"} if outcome == "failed" else {}
        log = transfer_logger.warning if failure else transfer_logger.info
        log("Transfer finished", outcome=outcome, method=room.method or "none", **failure)

    async def run_due_tasks(self) -> None:
        """Record outcomes that are due, remove expired rooms, and update gauges. Called every second."""
        now = self.clock()
        for room in list(self.live.values()):
            await self._run_room_tasks(room, now)
        await self._end_unjoined(now)
        for room in list(islice(self._ended.values(), max(0, len(self._ended) - MAX_LINGERING))):
            if not room.members:
                self._remove(room)
        self.room_metrics.drop_expired(now)

    async def _run_room_tasks(self, room: Room, now: float) -> None:
        if room.confirmation_deadline is not None and room.confirmation_deadline <= now:
            self.set_confirmation(room, pending=False)
        outcome = room.due_outcome(now)
        if outcome is not None and await self.conclude(room, outcome, "network"):
            await self._record_outcome(room, outcome)
        if room.deadline <= now or room.is_disposable(now, LINGER_S):
            self._end(room)
        elif room.is_abandoned(now, ABANDONED_S):
            self._end(room)
            await self._save_state(room, self._wall_clock() + KEPT_S)

    def _end(self, room: Room) -> None:
        self.places.release(room.record.id)
        self._remove(room)

    async def _end_unjoined(self, now: float) -> None:
        """Give the places of rooms back that nobody has joined for a while, and forget their links."""
        due = self._unjoined.due(now)
        owned_by_others = await self._owned_by_others(due) if due and self._owned_by_others else set()
        unused = [
            room_id for room_id in due if self._unjoined.remove(room_id) and room_id not in owned_by_others
        ]
        for room_id in owned_by_others - self.live.keys():
            self._unjoined.add(room_id, now)
        for room_id in unused:
            self.places.release(room_id)
        await asyncio.gather(*(self._forget_link(room_id) for room_id in unused))

    async def _forget_link(self, room_id: str) -> None:
        """Let a room expire now. If the database fails, it expires at its time."""
        with suppress(StoreError):
            await self._store.set_state(room_id, OPEN, self._wall_clock())
        await self._cache.delete(room_id)

    async def _record_outcome(self, room: Room, outcome: TransferOutcome) -> None:
        """Record the outcome that the sender left with, or ``failed`` if it vanished, as if its address had
        reported it.

        Only ``transfers_total`` changes: the server knows neither size nor duration.
        """
        method = room.method or ("relay" if room.uses_relay else "p2p")
        sample = Sample(METRICS["transfers_total"], (outcome, method), (1.0,))
        cell = room.sender_cell
        if cell is not None and self._address_quota and not self._address_quota.admit(sample, cell):
            self._metrics.record_dropped("client", "rate_limited")
            return
        self.room_metrics.record_outcome(sample)
        if cell is not None and self._outcomes:
            await self._outcomes.record(cell, outcomes_of([sample]))

    def evict(self, room_id: str) -> None:
        """Remove a room that another process owns now, without an outcome."""
        room = self.live.get(room_id)
        if room is not None:
            self._remove(room, "internal")
            if room_id in self.places:
                self._unjoined.add(room_id, self.clock())  # asks from time to time whether it has ended there

    def _remove(self, room: Room, reason: CloseReason = "expired") -> None:
        del self.live[room.record.id]
        self._ended.pop(room.record.id, None)
        for token in room.report_tokens.values():
            self.report_tokens.revoke(token)
        for member in room.end(self.clock()):
            self._revoke_ticket(member)
            member.connection.end_with(reason)
        self.room_metrics.update(room, self.clock())
        for listener in self.end_listeners:
            listener(room)

    def _revoke_ticket(self, member: Member) -> None:
        if member.relay_ticket:
            self.relay_tickets.revoke(member.relay_ticket)

    def _give_place_back(self, room: Room) -> None:
        """The transfer has an outcome. The room stays in memory for a while, and may have members."""
        self.places.release(room.record.id)
        self._ended[room.record.id] = room

    async def _save_state(self, room: Room, latest: float = NEVER) -> None:
        """Store the room's state. If the database fails the transfer goes on; a restart loses the state.

        Args:
            latest: time at which the link expires, in seconds since the Unix epoch, unless it does so before.
        """
        if room.outcome is not None:
            latest = self._wall_clock() + KEPT_S
        try:
            await self._store.set_state(room.record.id, room.state, latest)
            await self._cache.set(room.record.id, room.snapshot(latest))
        except StoreError as error:
            report_error(
                "storage",
                "high",
                "A room's state cannot be stored",
                error=error,
                log=transfer_logger,
                metrics=self._metrics,
            )
