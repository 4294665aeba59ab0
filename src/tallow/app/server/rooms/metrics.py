"""What the server itself counts of rooms and transfers: the metrics of source S."""

from __future__ import annotations

from tallow.app.server.rooms.room import Room
from tallow.monitoring.metrics import Metrics


class RoomMetrics:
    """Keeps gauges in step with rooms. Each room is counted at most once in each.

    Args:
        max_queued_seconds: seconds of its life that one room may count as queued.
    """

    def __init__(self, metrics: Metrics, max_queued_seconds: float) -> None:
        self._metrics = metrics
        self._max_queued_seconds = max_queued_seconds
        self._queued: set[Room] = set()
        self._active: set[Room] = set()
        self._channels: set[Room] = set()

    def update(self, room: Room, now: float) -> None:
        """Bring the gauges in step with a room that has changed."""
        if room.is_active and room not in self._active:
            self._active.add(room)
            self._metrics.registry.add(self._metrics.registry.families["active_transfers"], ())
        elif not room.is_active and room in self._active:
            self._active.discard(room)
            self._metrics.transfer_finished()
        if room.data_channel_open and room not in self._channels:
            self._channels.add(room)
            self._metrics.connection_opened("webrtc")
        elif not room.data_channel_open and room in self._channels:
            self._channels.discard(room)
            self._metrics.connection_closed("webrtc")
        if room.is_queued(now, self._max_queued_seconds):
            self._queued.add(room)
        else:
            self._queued.discard(room)
        self._metrics.set_queue_depth(len(self._queued))

    def drop_expired(self, now: float) -> None:
        """Let go of pairs that have waited for longer than counts."""
        for room in [room for room in self._queued if not room.is_queued(now, self._max_queued_seconds)]:
            self._queued.discard(room)
        self._metrics.set_queue_depth(len(self._queued))

    def transfer_started(self, room: Room) -> None:
        """A transfer's data began to flow for the first time."""
        self._active.add(room)
        self._metrics.transfer_started()

    def record_outcome(self, outcome: str, method: str) -> None:
        """The server books the outcome of a transfer whose sender reports none. It knows neither size nor
        duration, so that only ``transfers_total`` moves."""
        registry = self._metrics.registry
        registry.add(registry.families["transfers_total"], (outcome, method))
