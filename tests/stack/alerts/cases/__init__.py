"""Every case of every alert."""

from __future__ import annotations

from stack.alerts.cases import (
    availability,
    connections,
    host,
    monitoring,
    performance,
    security,
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
        monitoring,
        host,
        slo,
        start,
    )
    for case in module.CASES
]
