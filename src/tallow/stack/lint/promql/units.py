"""Units of expressions, and the matching units of Grafana."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tallow.monitoring.catalog import Metric


@dataclass(frozen=True, slots=True)
class Unit:
    """Powers of seconds, bytes and 10^6 bits a second; ``is_ratio``: a fraction of one, not a count."""

    seconds: int = 0
    bytes: int = 0
    mbps: int = 0
    is_ratio: bool = False
    is_per_minute: bool = False

    def powers(self) -> tuple[int, int, int]:
        return self.seconds, self.bytes, self.mbps

    def per_second(self) -> Unit:
        """The unit of a rate; seconds a second are a ratio."""
        return replace(self, seconds=self.seconds - 1, is_ratio=self.powers() == (1, 0, 0))

    def scaled_by(self, factor: float) -> Unit:
        """The unit after multiplication by a number: a rate times 60 is a rate per minute."""
        return replace(self, is_per_minute=True) if factor == 60 and self.powers() == (-1, 0, 0) else self

    def divided_by(self, other: Unit) -> Unit:
        """The unit of a quotient; equal units make a ratio."""
        a, b = self.powers(), other.powers()
        share = self.is_ratio or a == b
        return Unit(a[0] - b[0], a[1] - b[1], a[2] - b[2], is_ratio=share)

    def multiplied_by(self, other: Unit) -> Unit:
        """The unit of a product."""
        a, b = self.powers(), other.powers()
        return Unit(a[0] + b[0], a[1] + b[1], a[2] + b[2], is_ratio=self.is_ratio and other.is_ratio)


COUNT = Unit()


def unit_of_metric(metric: Metric) -> Unit:
    """The unit in a metric's name, at its end or at its start (``bytes_transferred_total``)."""
    name = metric.unit or ("bytes" if metric.name.startswith("bytes_") else "")
    return {"seconds": Unit(seconds=1), "bytes": Unit(bytes=1), "mbps": Unit(mbps=1), "": COUNT}[name]


_GRAFANA = {
    Unit(seconds=1): ("s",),
    Unit(bytes=1): ("decbytes", "bytes"),
    Unit(bytes=1, seconds=-1): ("Bps", "binBps"),
    Unit(mbps=1): ("Mbits",),
    Unit(is_ratio=True): ("percentunit",),
    Unit(seconds=-1): ("ops", "eps", "reqps", "cps", "mps"),
    Unit(seconds=-1, is_per_minute=True): ("opm", "epm", "cpm", "mpm"),
    COUNT: ("short", "none"),
}


def grafana_units(unit: Unit) -> tuple[str, ...]:
    """Grafana's names for a unit; empty if Grafana has none."""
    return _GRAFANA.get(unit, ())
