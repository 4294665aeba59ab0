"""All drills of alerts. `tallow lint` rejects an alert without a drill."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tallow.stack.drill.faults import budget, disk, exposition, monitoring, peers, server, traffic
from tallow.stack.drill.run.model import Drill

DRILLS: Mapping[str, Drill] = MappingProxyType(
    {
        drill.alert: drill
        for module in (server, peers, traffic, monitoring, exposition, disk, budget)
        for drill in module.DRILLS
    }
)
"""The drills by the name of their alert."""
