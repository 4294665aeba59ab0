"""Rules on the monitoring itself: an alert that cannot fire looks like one that has no reason to."""

from __future__ import annotations

from tallow.stack.alerts.self_monitoring import capacity, configuration, delivery, targets, telemetry
from tallow.stack.alerts.self_monitoring.capacity import SAMPLE_LIMIT

__all__ = ["RULES", "SAMPLE_LIMIT"]

RULES = (
    *delivery.RULES,
    *telemetry.RULES,
    targets.TARGET_MISSING,
    *configuration.RULES,
    *capacity.RULES,
)
