"""Cases of the rules on the monitoring itself."""

from __future__ import annotations

from stack.alerts.cases.self_monitoring import capacity, configuration, delivery, inputs, targets, telemetry

CASES = [
    case
    for module in (telemetry, delivery, targets, capacity, configuration, inputs)
    for case in module.CASES
]
