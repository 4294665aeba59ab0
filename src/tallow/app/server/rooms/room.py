"""One room: who sits where, and how far its transfer came. No I/O; the time is passed in."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from tallow.app.server.limits.report_quota import QuotaUsage
from tallow.app.server.rooms.store import OPEN, STARTED, RoomRecord
from tallow.app.wire import OUTCOMES, ROLES, CloseReason, Role, ServerMessage, TransferMethod, TransferOutcome


class PeerConnection(Protocol):
    """A peer's signaling socket, as a room sees it."""

    async def send(self, message: ServerMessage) -> None:
        """Send a message; a peer that does not take it is dropped. Never raises."""

    @property
    def end_with(self) -> Callable[[CloseReason], None]:
        """Makes the socket's own task say why and close it; returns at once."""


class RoleTakenError(Exception):
    """The seat is held by a live socket, and the key that would take it over was not shown."""


@dataclass(slots=True, eq=False)
class Member:
    """A place in a room. ``key`` takes it over from a dead socket; ``ticket`` opens the relay."""

    role: Role
    connection: PeerConnection
    device: str
    rejoin_key: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    relay_ticket: str = field(default="", repr=False)


@dataclass(slots=True, eq=False)
class Room:
    """A room that somebody has joined since this process started.

    Attributes:
        deadline: when it ends, on the clock the methods are told.
        joined: when each side came first.
        method: how data flows once it does.
        relayed: the pair uses Tallow's relay, or has used it last.
        paired_once: both sides were here at one time.
        active: data flows, and the transfer is not over.
        data_channel: the pair has a WebRTC data channel open, as far as signaling shows.
        named: the outcome the sender left with.
        outcome: what was booked of its transfer; set once.
        verdict: (when, outcome) to book then, unless a report comes first.
        receiver_outcome: what the receiver left with for good; a sender that was away meanwhile is told.
        confirm_until: the person at the receiver is asked until then; the pair waits for nobody else.
    """

    record: RoomRecord
    deadline: float
    members: dict[Role, Member] = field(default_factory=dict)
    joined_at: dict[Role, float] = field(default_factory=dict)
    report_tokens: dict[Role, str] = field(default_factory=dict, repr=False)
    quotas: dict[Role, QuotaUsage] = field(default_factory=lambda: {role: QuotaUsage() for role in ROLES})
    method: TransferMethod | None = None
    uses_relay: bool = False
    was_paired: bool = False
    started: bool = False
    is_active: bool = False
    data_channel_open: bool = False
    announced_outcome: TransferOutcome | None = None
    outcome: TransferOutcome | None = None
    pending_outcome: tuple[float, TransferOutcome] | None = None
    confirmation_deadline: float | None = None
    receiver_outcome: TransferOutcome | None = None
    _queued_since: float | None = None
    _queued_for: float = 0.0
    _empty_since: float | None = None

    def __post_init__(self) -> None:
        self.started = self.record.state != OPEN
        self.outcome = self.record.state if self.record.state in OUTCOMES else None

    @property
    def is_over(self) -> bool:
        """The transfer is over: its outcome is booked, or named by a sender that left."""
        return self.outcome is not None or self.announced_outcome is not None

    @property
    def is_closed(self) -> bool:
        """Nobody new is let in: a link is good for one transfer. A sender that vanished may come back."""
        return self.announced_outcome is not None or self.outcome in {"success", "cancelled"}

    @property
    def was_transfer(self) -> bool:
        """Both sides have been here at one time, now or before the server was restarted."""
        return self.was_paired or self.started

    @property
    def state(self) -> str:
        """What the store should remember."""
        return self.outcome or (STARTED if self.started else OPEN)

    def snapshot(self) -> RoomRecord:
        """The room's record as it is now."""
        return replace(self.record, state=self.state)

    def peer_of(self, role: Role) -> Member | None:
        """The seat across, if somebody sits there."""
        return self.members.get("receiver" if role == "sender" else "sender")

    def join(
        self, role: Role, link: PeerConnection, device: str, key: str | None, now: float
    ) -> Member | None:
        """Take a seat; the one that was taken over, if any.

        Raises:
            SeatTakenError: a socket holds it and ``key`` is not its key.
        """
        old = self.members.get(role)
        if old is not None and not (key and hmac.compare_digest(old.rejoin_key.encode(), key.encode())):
            raise RoleTakenError
        self.members[role] = seat = Member(role, link, device)
        if old is not None:
            seat.rejoin_key = old.rejoin_key
        if role == "sender" and not self.is_over:
            self.pending_outcome = None
        if role == "receiver":
            self.confirmation_deadline = None  # it says again whether it waits
            self.receiver_outcome = None
        self.joined_at.setdefault(role, now)
        self.was_paired |= len(self.members) == len(ROLES)
        self._update_timers(now)
        return old

    def start(self, method: TransferMethod, now: float) -> bool:
        """Data begins to flow; whether this is the first time."""
        first = not self.started
        self.confirmation_deadline = None
        self.method = method
        self.started = True
        self.is_active = not self.is_over
        self.data_channel_open = not self.uses_relay and not self.is_over
        self._update_timers(now)
        return first

    def begin_confirmation(self, until: float, now: float) -> None:
        """The person at the receiver is asked, until some time at most."""
        self.confirmation_deadline = until
        self._update_timers(now)

    def end_confirmation(self, now: float) -> None:
        """The person at the receiver has agreed, or has taken longer than the server allows for."""
        self.confirmation_deadline = None
        self._update_timers(now)

    def leave(
        self, seat: Member, now: float, *, outcome: TransferOutcome | None, wait: float, grace: float
    ) -> bool:
        """Leave a seat, with an outcome or without (a lost socket); False if it was no longer held.

        A sender's outcome is booked after ``wait`` seconds unless its report comes first. Where no receiver
        was ever here there was no transfer, and nothing is booked. A sender lost after the start has
        ``grace`` seconds to come back before its transfer counts as failed.
        """
        if self.members.get(seat.role) is not seat:
            return False
        del self.members[seat.role]
        if seat.role == "receiver":
            self.confirmation_deadline, self.receiver_outcome = None, outcome
        if seat.role == "sender":
            self.data_channel_open = False
            if outcome is not None and not self.is_over:
                self.announced_outcome = outcome
                self.is_active = False
                self.pending_outcome = (now + wait, outcome) if self.was_transfer else None
            elif self.started and not self.is_over:
                self.pending_outcome = (now + grace, "failed")
        self._update_timers(now)
        return True

    def conclude(self, outcome: TransferOutcome, now: float) -> bool:
        """Set the transfer's outcome; False if it has one."""
        if self.outcome is not None:
            return False
        self.outcome = outcome
        self.pending_outcome = None
        self.is_active = self.data_channel_open = False
        self._update_timers(now)
        return True

    def end(self, now: float) -> list[Member]:
        """The room's time is over: the seats that were held."""
        held = list(self.members.values())
        self.members.clear()
        self.is_active = self.data_channel_open = False
        self._update_timers(now)
        return held

    def due_outcome(self, now: float) -> TransferOutcome | None:
        """The outcome the server has to book now, if no report came."""
        return self.pending_outcome[1] if self.pending_outcome and now >= self.pending_outcome[0] else None

    def is_queued(self, now: float, limit: float) -> bool:
        """Both sides are here, no person is asked and no data flows yet, for up to ``limit`` seconds of the
        room's life: a pair that idles for good is no backlog, and one room must not look like one."""
        return self._queued_since is not None and self._queued_for + now - self._queued_since < limit

    def is_disposable(self, now: float, linger: float) -> bool:
        """The transfer is over, and nobody has been here for ``linger`` seconds."""
        empty = self._empty_since
        return self.outcome is not None and empty is not None and now - empty > linger

    def _update_timers(self, now: float) -> None:
        self._empty_since = None if self.members else (self._empty_since or now)
        begins = self.confirmation_deadline is None and not self.started and not self.is_over
        waiting = len(self.members) == len(ROLES) and begins
        if waiting and self._queued_since is None:
            self._queued_since = now
        elif not waiting and self._queued_since is not None:
            self._queued_for += now - self._queued_since
            self._queued_since = None
