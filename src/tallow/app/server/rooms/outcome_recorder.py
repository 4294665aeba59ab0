"""Records the outcomes of transfers that no peer reported."""

from __future__ import annotations

from tallow.app.server.limits.address_quota import AddressQuota
from tallow.app.server.rooms.client_outcomes import ClientOutcomes, outcomes_of
from tallow.app.server.rooms.metrics import RoomMetrics
from tallow.app.server.rooms.room import Room
from tallow.app.wire import TransferOutcome
from tallow.monitoring.catalog import METRICS
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.sample import Sample


class OutcomeRecorder:
    """Records an outcome as if the sender's address had reported it.

    Args:
        outcomes: counts outcomes by address prefix; None: nobody does.
        address_quota: what a sender's address may add to the metrics; None: anything.
    """

    def __init__(
        self,
        metrics: Metrics,
        room_metrics: RoomMetrics,
        outcomes: ClientOutcomes | None,
        address_quota: AddressQuota | None,
    ) -> None:
        self._metrics = metrics
        self._room_metrics = room_metrics
        self._outcomes = outcomes
        self._address_quota = address_quota

    async def record(self, room: Room, outcome: TransferOutcome) -> None:
        """Record the outcome that the sender left with, or ``failed`` if it vanished.

        Only ``transfers_total`` changes: the server knows neither size nor duration.
        """
        method = room.method or ("relay" if room.uses_relay else "p2p")
        sample = Sample(METRICS["transfers_total"], (outcome, method), (1.0,))
        cell = room.sender_cell
        if cell is not None and self._address_quota and not self._address_quota.admit(sample, cell):
            self._metrics.record_dropped("client", "rate_limited")
            return
        self._room_metrics.record_outcome(sample)
        if cell is not None and self._outcomes:
            await self._outcomes.record(cell, outcomes_of([sample]))
