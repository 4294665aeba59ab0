"""Metrics of rooms and transfers that the server measures itself."""

from __future__ import annotations

from tallow.app.server.rooms.room import Room
from tallow.app.wire import TransferMethod, TransferOutcome
from tallow.monitoring.metrics import Metrics


class RoomMetrics:
    """Keeps the gauges equal to the state of the rooms. Each gauge counts a room at most once.

    Args:
        max_queued_seconds: how long one room may count as queued during its lifetime.
    """

    def __init__(self, metrics: Metrics, max_queued_seconds: float) -> None:
        self._metrics = metrics
        self._max_queued_seconds = max_queued_seconds
        self._queued: set[Room] = set()
        self._active: set[Room] = set()
        self._with_data_channel: set[Room] = set()

    def update(self, room: Room, now: float) -> None:
        """Update the gauges for a room that has changed."""
        self._update_active(room)
        self._update_data_channel(room)
        if room.is_queued(now, self._max_queued_seconds):
            self._queued.add(room)
        else:
            self._queued.discard(room)
        self._metrics.set_queue_depth(len(self._queued))

    def _update_active(self, room: Room) -> None:
        if room.is_active and room not in self._active:
            self._active.add(room)
            # transfer_started() would also count a new transfer; this one continues after an interruption.
            self._metrics.registry.add(self._metrics.registry.families["active_transfers"], ())
        elif not room.is_active and room in self._active:
            self._active.discard(room)
            self._metrics.transfer_finished()

    def _update_data_channel(self, room: Room) -> None:
        if room.data_channel_open and room not in self._with_data_channel:
            self._with_data_channel.add(room)
            self._metrics.connection_opened("webrtc")
        elif not room.data_channel_open and room in self._with_data_channel:
            self._with_data_channel.discard(room)
            self._metrics.connection_closed("webrtc")

    def drop_expired(self, now: float) -> None:
        """Remove rooms from the queue that have reached ``max_queued_seconds``."""
        for room in [room for room in self._queued if not room.is_queued(now, self._max_queued_seconds)]:
            self._queued.discard(room)
        self._metrics.set_queue_depth(len(self._queued))

    def transfer_started(self, room: Room) -> None:
        """Count a transfer whose data flows for the first time."""
        self._active.add(room)
        self._metrics.transfer_started()

    def record_outcome(self, outcome: TransferOutcome, method: TransferMethod) -> None:
        """Count the outcome of a transfer whose sender did not report it.

        Only ``transfers_total`` changes: the server knows neither size nor duration.
        """
        registry = self._metrics.registry
        registry.add(registry.families["transfers_total"], (outcome, method))
