"""Usage statistics of rooms: the steps of a transfer and of its connection, as Plausible events.

An event holds categories only. Nothing is sent for a room in which one peer asked not to be tracked: with
``do_not_track`` in its join message, or with the headers ``DNT: 1`` or ``Sec-GPC: 1``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tallow.app.server.rooms.room import Room
from tallow.app.wire import ForwardedType, Role, TransferMethod, TransferOutcome
from tallow.monitoring import request_context
from tallow.monitoring.analytics import Analytics, Session, analytics
from tallow.monitoring.metrics.sample import Sample

_PATHS: Final[Mapping[TransferMethod, str]] = {"p2p": "direct", "relay": "relay"}
_RESULTS: Final[Mapping[TransferOutcome, str]] = {
    "success": "completed",
    "failed": "failed",
    "cancelled": "abandoned",
}
DIRECT_CHANNELS: Final = ("tcp", "webrtc")
"""Types of channels for which peers exchange candidates: all but the relay."""
_USES: Final[Mapping[str, str]] = {
    "feature_usage_total": "used",
    "settings_changes_total": "adopted",
    "pwa_installs_total": "adopted",
}
"""Metrics of which a report causes events, and the stage of the feature."""
MAX_USES: Final = 20
"""Events about features from one report."""


@dataclass(slots=True)
class _Journey:
    """What is known of one room.

    Attributes:
        session: its events are the steps.
        opted_out: a peer asked not to be tracked.
        concluded: the outcome is known. No step follows, but the receiver may still report its features.
        steps: steps that were sent; each is sent once.
        paired_at: when both peers were first there, on the rooms' clock.
        started_at: when data began to flow.
    """

    session: Session
    opted_out: bool = False
    concluded: bool = False
    steps: list[str] = field(default_factory=list)
    paired_at: float | None = None
    started_at: float | None = None


class RoomAnalytics:
    """Sends the events of all rooms of a process. No method waits or raises.

    Args:
        client: sends events; by default the process's own.
    """

    def __init__(self, client: Analytics = analytics) -> None:
        self._client = client
        self._journeys: dict[str, _Journey] = {}

    def room_created(self) -> None:
        """A sender asked for a room."""
        self._client.transfer_funnel.start_transfer()

    def joined(self, room: Room, role: Role, *, do_not_track: bool, now: float) -> None:
        """A peer joined, again or for the first time."""
        journey = self._journeys.get(room.record.id)
        if journey is None:
            journey = self._journeys[room.record.id] = _Journey(self._client.session("transfer"))
        journey.opted_out |= do_not_track or request_context.opts_out()
        if role == "sender" and self._is_first(journey, "file_chosen"):
            self._client.transfer_funnel.select_file()
        if role == "receiver" and self._is_first(journey, "link_opened"):
            self._client.goal("Link opened")
        if room.was_paired and self._is_first(journey, "peers_met"):
            journey.paired_at = now
            self._client.connection_funnel.start_connection()

    def signal_forwarded(self, room: Room, kind: ForwardedType, data: Mapping[str, Any]) -> None:
        """A signaling message went from one peer to the other.

        Signals are sealed: the server sees their kind and channel only. Command-line peers put their
        candidates into offer and answer of a direct channel, so that both have gathered them with the answer.
        Browsers also send candidates in messages of their own, even before the answer. They count after it:
        the steps of a funnel have one order.

        Args:
            data: of the message.
        """
        journey = self._journeys.get(room.record.id)
        if journey is None:
            return
        if kind == "answer" and self._is_first(journey, "signals_exchanged"):
            self._client.connection_funnel.exchange_signals()
        gathered = kind == "candidate" or (kind == "answer" and data.get("channel") in DIRECT_CHANNELS)
        if (
            gathered
            and "signals_exchanged" in journey.steps
            and self._is_first(journey, "candidates_gathered")
        ):
            self._client.connection_funnel.gather_candidates()

    def started(self, room: Room, method: TransferMethod, now: float) -> None:
        """Data flows for the first time."""
        journey = self._journeys.get(room.record.id)
        if journey is None or not self._is_first(journey, "connected"):
            return
        journey.started_at = now
        took = None if journey.paired_at is None else now - journey.paired_at
        self._client.connection_funnel.connected(_PATHS[method], took)
        self._client.transfer_funnel.connect_peer(method)

    def reported(self, room: Room, samples: Iterable[Sample]) -> None:
        """A peer's report was accepted: features that it used, settings that it changed, an installation."""
        journey = self._journeys.get(room.record.id)
        if journey is None or journey.opted_out:
            return
        used = [sample for sample in samples if sample.metric.name in _USES]
        for sample in used[:MAX_USES]:
            if sample.metric.name == "pwa_installs_total":
                self._client.goal("App installed", platform=sample.labels[0])
            else:
                self._client.feature_adoption(sample.labels[0], _USES[sample.metric.name])

    def concluded(
        self,
        room: Room,
        outcome: TransferOutcome,
        now: float,
        *,
        error_type: str | None = None,
        samples: Iterable[Sample] = (),
    ) -> None:
        """The transfer has its outcome.

        Args:
            error_type: of a failed transfer.
            samples: of the report that brought the outcome, if there is one.
        """
        journey = self._journeys.get(room.record.id)
        if journey is None or journey.opted_out or journey.concluded:
            return
        journey.concluded = True
        took = None if journey.started_at is None else now - journey.started_at
        if outcome == "success":
            self._complete(room, took, list(samples))
        elif outcome == "failed":
            if journey.started_at is None:
                self._client.connection_funnel.fail_connection(error_type)
            self._client.transfer_funnel.fail_transfer(error_type, room.method)
        journey.session.end(_RESULTS[outcome])

    def removed(self, room: Room) -> None:
        """The room is gone. Without an outcome its session was abandoned; a session ends once."""
        journey = self._journeys.pop(room.record.id, None)
        if journey is not None and not journey.opted_out:
            journey.session.end("abandoned")

    def _complete(self, room: Room, took: float | None, samples: list[Sample]) -> None:
        sizes = [sample for sample in samples if sample.metric.name == "file_size_bytes"]
        total = sum(sample.amounts[-1] for sample in sizes) if sizes else None
        kinds = {sample.labels[0] for sample in sizes}
        mime_type = f"{kinds.pop()}/*" if len(kinds) == 1 else None
        self._client.transfer_funnel.complete_transfer(total, took, room.method, mime_type)
        self._client.goal("Transfer completed", method=room.method)
        files = round(sum(sample.count for sample in sizes)) or None
        self._client.engagement("transfer", took, files)

    @staticmethod
    def _is_first(journey: _Journey, step: str) -> bool:
        """Whether a step is to be sent; the session counts it then."""
        if journey.opted_out or journey.concluded or step in journey.steps:
            return False
        journey.steps.append(step)
        journey.session.step(step)
        return True
