"""Metrics of rooms and transfers that the server measures itself."""

from __future__ import annotations

from math import ceil

from tallow.app.server.rooms.queue_depth import QueueDepth
from tallow.app.server.rooms.room import Room
from tallow.app.server.settings import ServerSettings
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.sample import Sample


class RoomMetrics:
    """Keeps the gauges equal to the state of the rooms. Each gauge counts a room at most once.

    Args:
        workers: of the server. Each counts a client in the queue for its part of the time, so that moving
            from worker to worker gains nothing.
    """

    def __init__(self, metrics: Metrics, settings: ServerSettings, workers: int = 1) -> None:
        self._metrics = metrics
        self._max_queued_seconds = settings.max_queued_seconds
        per_client = ceil(settings.queued_per_address / workers)
        self._queue = QueueDepth(per_client, settings.max_queued_seconds / workers)
        self._active: set[Room] = set()
        self._with_data_channel: set[Room] = set()

    def update(self, room: Room, now: float) -> None:
        """Update the gauges for a room that has changed."""
        self._update_active(room)
        self._update_data_channel(room)
        self._queue.set_waiting(room, now, waiting=room.is_queued(now, self._max_queued_seconds))
        self._metrics.set_queue_depth(self._queue.depth)

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
        """Remove rooms from the queue that, or whose client, have been in it for too long."""
        for room in self._queue.waiting():
            if not room.is_queued(now, self._max_queued_seconds):
                self._queue.set_waiting(room, now, waiting=False)
        self._queue.update(now)
        self._metrics.set_queue_depth(self._queue.depth)

    def transfer_started(self, room: Room) -> None:
        """Count a transfer whose data flows for the first time."""
        self._active.add(room)
        self._metrics.transfer_started()

    def record_outcome(self, sample: Sample) -> None:
        """Count the outcome of a transfer whose sender did not report it."""
        self._metrics.registry.merge([sample])
