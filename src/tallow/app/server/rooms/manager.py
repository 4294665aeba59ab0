"""All rooms of this process: creation, joining, outcomes and expiry."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tallow.app.room_ids import new_room_ids
from tallow.app.server.limits.address_quota import AddressQuota
from tallow.app.server.limits.room_places import RoomPlaces
from tallow.app.server.rooms.analytics import RoomAnalytics
from tallow.app.server.rooms.cache import Cache
from tallow.app.server.rooms.cached_store import CachedRoomStore
from tallow.app.server.rooms.client_outcomes import ClientOutcomes
from tallow.app.server.rooms.live_rooms import LiveRooms
from tallow.app.server.rooms.metrics import RoomMetrics
from tallow.app.server.rooms.outcome_recorder import OutcomeRecorder
from tallow.app.server.rooms.room import Member, PeerConnection, Room
from tallow.app.server.rooms.transfer_monitor import TransferMonitor
from tallow.app.server.rooms.unjoined import UNJOINED_S, UnjoinedRooms
from tallow.app.server.settings import ServerSettings
from tallow.app.server.storage.records import RoomRecord, new_records
from tallow.app.server.storage.room_store import NEVER, Store
from tallow.app.wire import ROOM_ID, Role, TransferMethod, TransferOutcome
from tallow.monitoring import correlation
from tallow.monitoring.logging import transfer_logger
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.sample import Sample

LINGER_S: Final = 600
"""How long a finished, empty room stays in memory, for late reports."""
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
        self.clock = clock
        self._wall_clock = wall_clock
        self._is_own_id = is_own_id
        self._owned_by_others = owned_by_others
        self._records = CachedRoomStore(store, cache, metrics, wall_clock())
        self.room_metrics = RoomMetrics(metrics, settings, workers)
        self.analytics = analytics or RoomAnalytics()
        self._recorder = OutcomeRecorder(metrics, self.room_metrics, outcomes, address_quota)
        self._monitor = TransferMonitor()
        self.places = RoomPlaces.of_worker(settings, workers)
        self._unjoined = UnjoinedRooms(min(UNJOINED_S, settings.room_lifetime))
        self._memory = LiveRooms(name, self.places, self._unjoined, self.room_metrics)
        self.live = self._memory.by_id
        self.relay_tickets = self._memory.relay_tickets
        self.report_tokens = self._memory.report_tokens
        self.end_listeners = self._memory.end_listeners
        self.end_listeners += [self.analytics.removed, self._monitor.removed]

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
            await self._records.add(records)
        except BaseException:
            for record in records:
                self.places.release(record.id)
            raise
        for record in records:
            self._unjoined.add(record.id, self.clock())
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
        # The store forgets a failed transfer after a while; here it may go on.
        in_memory = self.live.get(room_id)
        record = in_memory.record if in_memory else (await self._records.look_up(room_id)).record
        if record is None:
            return None
        seconds_left = record.expires - self._wall_clock()
        if seconds_left <= 0 or not record.matches_token(token):
            return None
        now = self.clock()
        return self._memory.open(record, now + seconds_left, now)

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
            self._memory.revoke_ticket(old)
        if role == "sender":
            room.sender_cell = cell
        member = room.members[role]
        self._memory.issue_tokens(room, member)
        self.room_metrics.update(room, self.clock())
        self.analytics.joined(room, role, do_not_track=do_not_track, now=self.clock())
        return member, old

    def issue_report_token(self, room: Room, role: Role) -> str:
        """Issue a one-time telemetry token; the role's last one is revoked."""
        return self._memory.issue_report_token(room, role)

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
            self._memory.revoke_ticket(member)
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
            self._memory.give_place_back(room)
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
        self._memory.give_place_back(room)
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
        self._memory.remove_excess(now)
        self.room_metrics.drop_expired(now)

    async def _run_room_tasks(self, room: Room, now: float) -> None:
        if room.confirmation_deadline is not None and room.confirmation_deadline <= now:
            self.set_confirmation(room, pending=False)
        outcome = room.due_outcome(now)
        if outcome is not None and await self.conclude(room, outcome, "network"):
            await self._recorder.record(room, outcome)
        if room.deadline <= now or room.is_disposable(now, LINGER_S):
            self._memory.end(room, now)
        elif room.is_abandoned(now, ABANDONED_S):
            self._memory.end(room, now)
            await self._save_state(room, self._wall_clock() + KEPT_S)

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
        wall_time = self._wall_clock()
        await asyncio.gather(*(self._records.expire(room_id, wall_time) for room_id in unused))

    def evict(self, room_id: str) -> None:
        """Remove a room that another process owns now, without an outcome."""
        self._memory.evict(room_id, self.clock())

    async def _save_state(self, room: Room, latest: float = NEVER) -> None:
        """Store the room's state, and let the link of a transfer with an outcome expire in a while.

        Args:
            latest: see :meth:`CachedRoomStore.save_state`.
        """
        if room.outcome is not None:
            latest = self._wall_clock() + KEPT_S
        await self._records.save_state(room, latest)
