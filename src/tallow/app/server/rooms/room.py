"""The state of one room: its members and the progress of its transfer. No I/O; callers pass the time in."""

from __future__ import annotations

import hmac
import secrets
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from tallow.app.server.limits.report_quota import QuotaUsage
from tallow.app.server.storage.records import OPEN, STARTED, STOPPED, RoomRecord
from tallow.app.server.storage.room_store import NEVER
from tallow.app.wire import OUTCOMES, ROLES, CloseReason, Role, ServerMessage, TransferMethod, TransferOutcome


class PeerConnection(Protocol):
    """A peer's signaling connection, as a room uses it."""

    async def send(self, message: ServerMessage) -> None:
        """Send a message. Never raises; a peer that does not read is disconnected."""

    @property
    def end_with(self) -> Callable[[CloseReason], None]:
        """Ends the connection with a reason. Returns at once; the connection's own task closes the socket."""


class RoleTakenError(Exception):
    """A connected peer has the role, and its rejoin key was not shown."""


@dataclass(slots=True, eq=False)
class Member:
    """A peer in a room.

    Attributes:
        rejoin_key: with it the peer joins again in place of a lost connection.
        relay_ticket: with it the peer opens the relay.
    """

    role: Role
    connection: PeerConnection
    device: str
    rejoin_key: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    relay_ticket: str = field(default="", repr=False)


@dataclass(slots=True, eq=False)
class Room:
    """A room that a peer has joined since this process started.

    Times are seconds on the clock of the ``now`` that the methods get.

    Attributes:
        deadline: when the room expires.
        joined_at: when each role first joined.
        method: how data flows, once it does.
        uses_relay: the peers use Tallow's relay, or used it last.
        was_paired: both peers have been here at the same time.
        is_active: data flows and the transfer is not over.
        data_channel_open: the peers have a WebRTC data channel, as far as signaling shows.
        announced_outcome: the outcome with which the sender left.
        outcome: the recorded outcome of the transfer; set once.
        pending_outcome: when to record which outcome, unless a report comes first.
        empty_since: when the last member left, or when the room was opened if nobody has joined since; None
            while somebody is here.
        sender_cell: the sender's address, as :class:`tallow.app.server.rooms.client_outcomes.ClientOutcomes`
            counts it; None: no sender has joined this process.
        receiver_outcome: the outcome with which the receiver left, for a sender that was away at that time.
        confirmation_deadline: until when the person at the receiver may decide.
        is_stopped: the sender ended the transfer without success, and may come back to resume it.
    """

    record: RoomRecord
    deadline: float
    members: dict[Role, Member] = field(default_factory=dict)
    joined_at: dict[Role, float] = field(default_factory=dict)
    report_tokens: dict[Role, str] = field(default_factory=dict, repr=False)
    quotas: dict[Role, QuotaUsage] = field(default_factory=lambda: defaultdict(QuotaUsage))
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
    sender_cell: int | None = None
    empty_since: float | None = None
    is_stopped: bool = False
    _queued_since: float | None = None
    _queued_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.started = self.record.state != OPEN
        self.is_stopped = self.record.state == STOPPED
        state = "cancelled" if self.is_stopped else self.record.state
        self.outcome = state if state in OUTCOMES else None

    @property
    def is_over(self) -> bool:
        """The transfer has an outcome, recorded or announced by the sender."""
        return self.outcome is not None or self.announced_outcome is not None

    @property
    def is_closed(self) -> bool:
        """No new peer may join: a link is good for one transfer. After a failure, and while the transfer is
        stopped, the peers may come back."""
        is_final = self.announced_outcome is not None or self.outcome in {"success", "cancelled"}
        return is_final and not self.is_stopped

    @property
    def awaits_receiver(self) -> bool:
        """No receiver has joined, now or before a restart of the server, and one may."""
        return "receiver" not in self.joined_at and not self.was_transfer and not self.is_over

    @property
    def was_transfer(self) -> bool:
        """Both peers have been here, now or before a restart of the server."""
        return self.was_paired or self.started

    @property
    def state(self) -> str:
        """The state for the store."""
        if self.is_stopped and self.outcome == "cancelled":
            return STOPPED
        return self.outcome or (STARTED if self.started else OPEN)

    def snapshot(self, latest: float = NEVER) -> RoomRecord:
        """The room's record with its current state.

        Args:
            latest: time at which it expires, in seconds since the Unix epoch, unless it does so before.
        """
        return replace(self.record, state=self.state, expires=min(self.record.expires, latest))

    def peer_of(self, role: Role) -> Member | None:
        """The other member."""
        return self.members.get("receiver" if role == "sender" else "sender")

    def join(
        self, role: Role, connection: PeerConnection, device: str, rejoin_key: str | None, now: float
    ) -> Member | None:
        """Add a member.

        Returns:
            The member that it replaces, if any.

        Raises:
            RoleTakenError: the role is taken and ``rejoin_key`` is not its member's.
        """
        old = self.members.get(role)
        if old is not None and not _keys_match(old.rejoin_key, rejoin_key):
            raise RoleTakenError
        self.members[role] = member = Member(role, connection, device)
        if old is not None:
            member.rejoin_key = old.rejoin_key
        if role == "sender" and not self.is_over:
            self.pending_outcome = None
        if role == "receiver":
            self.confirmation_deadline = None  # a receiver that rejoins sends its state again
            self.receiver_outcome = None
        self.joined_at.setdefault(role, now)
        self.was_paired |= len(self.members) == len(ROLES)
        self._update_timers(now)
        return old

    def start(self, method: TransferMethod, now: float) -> bool:
        """Note that data flows; True the first time."""
        first = not self.started
        self.confirmation_deadline = None
        self.method = method
        self.started = True
        self.is_active = not self.is_over
        self.data_channel_open = not self.uses_relay and not self.is_over
        self._update_timers(now)
        return first

    def milliseconds_together(self, now: float) -> int | None:
        """Milliseconds since both peers were first here; None if one of them never was."""
        if len(self.joined_at) < len(ROLES):
            return None
        return round((now - max(self.joined_at.values())) * 1000)

    def begin_confirmation(self, until: float, now: float) -> None:
        """Wait for the decision of the person at the receiver, until a time at most."""
        self.confirmation_deadline = until
        self._update_timers(now)

    def end_confirmation(self, now: float) -> None:
        """Stop waiting: the person at the receiver has agreed, or the time is over."""
        self.confirmation_deadline = None
        self._update_timers(now)

    def leave(
        self,
        member: Member,
        now: float,
        *,
        outcome: TransferOutcome | None,
        wait: float,
        grace: float,
        resumable: bool = False,
    ) -> bool:
        """Remove a member; False if another connection has replaced it.

        Args:
            outcome: of the transfer; None: the connection was lost.
            resumable: a cancelled or failed transfer may be resumed later.
            wait: seconds until a sender's outcome is recorded, unless its report comes first. If there never
                was a receiver, nothing is recorded.
            grace: seconds in which a sender that was lost after the start may rejoin before its transfer
                counts as failed.
        """
        if self.members.get(member.role) is not member:
            return False
        del self.members[member.role]
        if member.role == "receiver":
            # A sender that comes back to resume a stopped transfer waits for the receiver.
            self.confirmation_deadline, self.receiver_outcome = None, None if resumable else outcome
        else:
            if outcome is not None:
                self.is_stopped = resumable and outcome != "success" and self.was_transfer
            self._sender_left(now, outcome, wait, grace)
        self._update_timers(now)
        return True

    def _sender_left(self, now: float, outcome: TransferOutcome | None, wait: float, grace: float) -> None:
        self.data_channel_open = False
        if self.is_over:
            return
        if outcome is not None:
            self.announced_outcome = outcome
            self.is_active = False
            self.pending_outcome = (now + wait, outcome) if self.was_transfer else None
        elif self.started:
            self.pending_outcome = (now + grace, "failed")

    def conclude(self, outcome: TransferOutcome, now: float) -> bool:
        """Set the outcome; False if there is one."""
        if self.outcome is not None:
            return False
        self.outcome = outcome
        self.pending_outcome = None
        self.is_active = self.data_channel_open = False
        self._update_timers(now)
        return True

    def end(self, now: float) -> list[Member]:
        """Remove and return all members: the room has expired or moved."""
        removed = list(self.members.values())
        self.members.clear()
        self.is_active = self.data_channel_open = False
        self._update_timers(now)
        return removed

    def due_outcome(self, now: float) -> TransferOutcome | None:
        """The outcome that the server must record now because no report came."""
        return self.pending_outcome[1] if self.pending_outcome and now >= self.pending_outcome[0] else None

    def is_queued(self, now: float, limit: float) -> bool:
        """Both peers are here, and wait neither for a person nor for data.

        A room counts as queued for at most ``limit`` seconds of its lifetime: a pair that idles is not a
        backlog.
        """
        return self._queued_since is not None and self._queued_seconds + now - self._queued_since < limit

    def is_disposable(self, now: float, linger: float) -> bool:
        """The transfer is over and the room has been empty for ``linger`` seconds."""
        empty_since = self.empty_since
        return self.outcome is not None and empty_since is not None and now - empty_since > linger

    def is_abandoned(self, now: float, limit: float) -> bool:
        """The room has been empty for ``limit`` seconds, and its transfer has no outcome, nor one soon."""
        empty_since = self.empty_since
        is_open = self.outcome is None and self.pending_outcome is None
        return is_open and empty_since is not None and now - empty_since > limit

    def _update_timers(self, now: float) -> None:
        self.empty_since = None if self.members else (self.empty_since or now)
        may_start = self.confirmation_deadline is None and not self.started and not self.is_over
        is_waiting = may_start and len(self.members) == len(ROLES)
        if is_waiting and self._queued_since is None:
            self._queued_since = now
        elif not is_waiting and self._queued_since is not None:
            self._queued_seconds += now - self._queued_since
            self._queued_since = None


def _keys_match(expected: str, shown: str | None) -> bool:
    return shown is not None and hmac.compare_digest(expected.encode(), shown.encode())
