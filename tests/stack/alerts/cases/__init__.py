"""Every case of every alert."""

from __future__ import annotations

from stack.alerts.cases import (
    availability,
    connections,
    host,
    performance,
    security,
    self_monitoring,
    series_end,
    slo,
    start,
    storage,
    transfers,
)
from support.alert_rules.promtool import Case

CASES: list[Case] = [
    case
    for module in (
        availability,
        performance,
        transfers,
        connections,
        security,
        storage,
        self_monitoring,
        host,
        slo,
        series_end,
        start,
    )
    for case in module.CASES
]
