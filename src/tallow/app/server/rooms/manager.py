"""All rooms of this server: made, found, joined, booked once, and swept when their time is over."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable
from typing import Final, Literal

from tallow.app.server.limits.rate_limit import ConcurrencyLimiter
from tallow.app.server.rooms.cache import Cache
from tallow.app.server.rooms.metrics import RoomMetrics
from tallow.app.server.rooms.room import Member, PeerConnection, Room
from tallow.app.server.rooms.store import RoomRecord, Store, StoreError
from tallow.app.server.rooms.token_store import TokenStore
from tallow.app.server.settings import ServerSettings
from tallow.app.wire import ROOM_ID, CloseReason, Role, TransferMethod, TransferOutcome
from tallow.monitoring import correlation
from tallow.monitoring.logging import transfer_logger
from tallow.monitoring.metrics import Metrics

LINGER_S: Final = 600
"""How long a finished, empty room stays in memory for late reports."""


class RoomLimitError(Exception):
    """The room cannot be made: ``reason`` says whose share is used up."""

    def __init__(self, reason: Literal["address", "server"]) -> None:
        super().__init__(reason)
        self.limit = reason


class RoomManager:
    """The rooms somebody joined since the start are live, in memory; all others rest in the store.

    Args:
        clock: monotonic seconds.
        wall: seconds since the Unix epoch.
        name: this process's, where there are several.
    """

    def __init__(
        self,
        settings: ServerSettings,
        metrics: Metrics,
        store: Store,
        cache: Cache[RoomRecord],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        name: str = "",
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._store = store
        self._cache = cache
        self.clock = clock
        self._wall = wall
        self._created: dict[str, tuple[float, bytes]] = {}
        self._rooms_per_address = ConcurrencyLimiter(settings.rooms_per_address)
        self.live: dict[str, Room] = {}
        self.relay_tickets: TokenStore[tuple[Room, Member]] = TokenStore(name)
        self.report_tokens: TokenStore[tuple[Room, Role]] = TokenStore(name)
        self.room_metrics = RoomMetrics(metrics, settings.max_queued_seconds)
        self.end_listeners: list[Callable[[Room], None]] = []

    async def create(self, hashed: str, correlation_id: str, address: bytes) -> RoomRecord:
        """Make a room; ``hashed`` is the SHA-256 of its join token in hexadecimal.

        Raises:
            NoRoomError: the address or the server has as many as it may.
        """
        if len(self._created) >= self._settings.max_rooms:
            raise RoomLimitError("server")
        if not self._rooms_per_address.acquire(address):
            raise RoomLimitError("address")
        now = self._wall()
        record = RoomRecord(new_room_id(), hashed, now, now + self._settings.room_lifetime, correlation_id)
        self._created[record.id] = (self.clock() + self._settings.room_lifetime, address)
        try:
            await self._store.add(record)
        except BaseException:
            self._free_slot(record.id)
            raise
        await self._cache.set(record.id, record)
        return record

    async def open_room(self, room_id: str, token: bytes) -> Room | None:
        """The room that a join token opens, live from now on. None if there is no such room, its time is over
        or the token is another's: whoever does not hold the link learns nothing."""
        if not ROOM_ID.fullmatch(room_id):
            return None
        record = await self._cache.get(room_id)
        if record is None:
            record = await self._store.find(room_id)
            if record is None:
                return None
            await self._cache.set(room_id, record)
        left = record.expires - self._wall()
        if left <= 0 or not record.matches_token(token):
            return None
        return self.live.setdefault(room_id, Room(record, self.clock() + left))

    def join(
        self, room: Room, role: Role, link: PeerConnection, device: str, key: str | None
    ) -> tuple[Member, Member | None]:
        """Take a seat: it, and the one that was taken over.

        Raises:
            SeatTakenError: see :meth:`Room.sit`.
        """
        old = room.join(role, link, device, key, self.clock())
        if old is not None:
            self._revoke_ticket(old)
        seat = room.members[role]
        seat.relay_ticket = self.relay_tickets.issue((room, seat))
        self.issue_report_token(room, role)
        self.room_metrics.update(room, self.clock())
        return seat, old

    def issue_report_token(self, room: Room, role: Role) -> str:
        """A fresh one-time telemetry token for one side; the one before is worth nothing from now on."""
        spent = room.report_tokens.get(role)
        if spent is not None:
            self.report_tokens.revoke(spent)
        token = room.report_tokens[role] = self.report_tokens.issue((room, role))
        return token

    async def start_transfer(self, room: Room, method: TransferMethod) -> None:
        """The sender says that data flows."""
        first = room.start(method, self.clock())
        if first:
            self.room_metrics.transfer_started(room)
        self.room_metrics.update(room, self.clock())
        if first:
            transfer_logger.info("Transfer started", method=method)
            await self._save_state(room)

    def set_confirmation(self, room: Room, *, pending: bool) -> None:
        """The receiver says that its person is asked, or has agreed."""
        now = self.clock()
        if pending:
            room.begin_confirmation(now + self._settings.confirmation_limit, now)
        else:
            room.end_confirmation(now)
        self.room_metrics.update(room, now)

    def leave(self, room: Room, seat: Member, outcome: TransferOutcome | None) -> bool:
        """A seat is left, with an outcome or without (a lost socket); False if it was taken over."""
        wait, grace = self._settings.outcome_report_timeout, self._settings.sender_reconnect_grace
        held = room.leave(seat, self.clock(), outcome=outcome, wait=wait, grace=grace)
        if held:
            self._revoke_ticket(seat)
            self.room_metrics.update(room, self.clock())
        return held

    async def conclude_unused(self, room: Room) -> None:
        """The sender has left for good before anybody came: the link is used up, and nothing is counted."""
        if (
            room.announced_outcome is not None
            and not room.was_transfer
            and room.conclude(room.announced_outcome, self.clock())
        ):
            await self._save_state(room)

    async def conclude(self, room: Room, outcome: TransferOutcome) -> bool:
        """Set a transfer's outcome, without counting it; False if it has one already."""
        if not room.conclude(outcome, self.clock()):
            return False
        self.room_metrics.update(room, self.clock())
        with correlation.bind(room.record.correlation_id):  # the server's own second books some, unbound
            transfer_logger.info("Transfer finished", outcome=outcome, method=room.method or "none")
            await self._save_state(room)
        return True

    async def run_due_tasks(self) -> None:
        """Book what is due, end rooms whose time is over, and bring gauges up to date."""
        now = self.clock()
        for room in list(self.live.values()):
            if room.confirmation_deadline is not None and room.confirmation_deadline <= now:
                self.set_confirmation(room, pending=False)
            outcome = room.due_outcome(now)
            if outcome is not None and await self.conclude(room, outcome):
                self.room_metrics.record_outcome(
                    outcome, room.method or ("relay" if room.uses_relay else "p2p")
                )
            if room.deadline <= now or room.is_disposable(now, LINGER_S):
                self._remove(room)
        for room_id, (deadline, _) in list(self._created.items()):
            if deadline > now:
                break  # made in order, and all good for equally long
            self._free_slot(room_id)
        self.room_metrics.drop_expired(now)

    def evict(self, room_id: str) -> None:
        """A room lives elsewhere now: end what of it is here, and book nothing."""
        room = self.live.get(room_id)
        if room is not None:
            self._remove(room, "internal")

    def _remove(self, room: Room, code: CloseReason = "expired") -> None:
        del self.live[room.record.id]
        for token in room.report_tokens.values():
            self.report_tokens.revoke(token)
        for seat in room.end(self.clock()):
            self._revoke_ticket(seat)
            seat.connection.end_with(code)
        self.room_metrics.update(room, self.clock())
        for ended in self.end_listeners:
            ended(room)

    def _revoke_ticket(self, seat: Member) -> None:
        if seat.relay_ticket:
            self.relay_tickets.revoke(seat.relay_ticket)

    async def _save_state(self, room: Room) -> None:
        """Write the state down. A database that fails costs the memory of it over a restart, no transfer."""
        try:
            await self._store.set_state(room.record.id, room.state)
            await self._cache.set(room.record.id, room.snapshot())
        except StoreError:
            self._metrics.record_error("storage", "high")
            transfer_logger.warning("Database failed", during="transfer")

    def _free_slot(self, room_id: str) -> None:
        _, address = self._created.pop(room_id)
        self._rooms_per_address.release(address)


def new_room_id() -> str:
    """A room's public name: 80 random bits in lower-case base32."""
    return base64.b32encode(os.urandom(10)).decode().lower()
