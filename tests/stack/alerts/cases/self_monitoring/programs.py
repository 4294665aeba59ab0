"""The programs of the stack other than Tallow, as targets."""

from __future__ import annotations

from support.alert_rules.promtool import INSTANCE, located

ALERTMANAGER = {"job": "alertmanager", "instance": "localhost:9093"}
PROMETHEUS = {"job": "prometheus", "instance": "localhost:9090"}
NODE = {"job": "node-exporter", "instance": "localhost:9100"}
TALLOW = {"job": "tallow", "instance": INSTANCE}


def of(place: dict[str, str], name: str, samples: str, labels: str = "") -> dict[str, str]:
    """A series of another program than Tallow."""
    inside = f"{{{labels}}}" if labels else ""
    return {located(f"{name}{inside}", **place): samples}
