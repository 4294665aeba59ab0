"""Every drill, by the name of its alert: the linter refuses an alert without one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tallow.stack.drill.faults import budget, disk, exposition, monitoring, peers, server, traffic
from tallow.stack.drill.run.model import Drill

DRILLS: Mapping[str, Drill] = MappingProxyType(
    {
        drill.alert: drill
        for part in (server, peers, traffic, monitoring, exposition, disk, budget)
        for drill in part.DRILLS
    }
)
