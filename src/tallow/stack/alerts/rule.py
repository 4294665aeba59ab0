"""A rule: an alert's expression with its times, minimum traffic, links and words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Literal

from tallow.monitoring.catalog import METRICS
from tallow.stack.alerts.links import Links, Panel

Severity = Literal["critical", "warning", "info"]
"""What Alertmanager routes on; every value is one that PagerDuty's Events API accepts."""
Category = Literal[
    "availability", "performance", "transfers", "connections", "security", "database", "caching", "monitoring"
]

MINUTE = 60
HOUR = 60 * MINUTE
WARM_UP = 10 * MINUTE
"""No rule but ServiceDown and CriticalErrors may fire this long after a clean start, in seconds."""

_UNITS = ((HOUR * 1000, "h"), (MINUTE * 1000, "m"), (1000, "s"), (1, "ms"))
_YOUNG = """
unless on ({by})
  abs(time() - min by ({by}) ({start}{{job="tallow"}})) < $guard"""


@dataclass(frozen=True, slots=True)
class Figure:
    """A further number in a description: a query that Prometheus runs when it writes the message.

    ``$instance`` in ``expr`` becomes the quoted instance of the alert; ``pipe`` is the template function
    that makes the number readable. No series reads as 0.
    """

    expr: str
    pipe: str = "humanize"

    def template(self, names: Mapping[str, str]) -> str:
        """The figure in Prometheus's template language."""
        query = Template(" ".join(self.expr.split())).substitute(names, instance="%q")
        arguments = " ".join(["$labels.instance"] * query.count("%q"))
        return (
            f"{{{{ with printf `{query}` {arguments} | query }}}}"
            f"{{{{ . | first | value | {self.pipe} }}}}{{{{ else }}}}0{{{{ end }}}}"
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rule with its times, minimums and links put in: what stands in the rule file."""

    alert: str
    expr: str
    for_: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def document(self) -> dict[str, object]:
        """The rule in Prometheus's own shape."""
        document: dict[str, object] = {"alert": self.alert, "expr": self.expr}
        if self.for_ != "0s":
            document["for"] = self.for_
        return document | {"labels": dict(self.labels), "annotations": dict(self.annotations)}


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert.

    ``expr``, ``summary`` and ``description`` are templates: ``$window`` and the other names of ``windows``
    become durations, the names of ``min_counts`` counts, those of ``thresholds`` thresholds (with
    ``_percent`` appended: a ratio in percent). ``$value`` and ``$labels`` stay for Prometheus.

    Attributes:
        hold: seconds the condition must last before the alert fires (``for``).
        windows: ranges and offsets in seconds.
        minimums: events a window must hold before a ratio or quantile counts.
        limits: thresholds, in the units of the metric.
        figures: further measured values for the description.
        guard: seconds after a process start during which the condition does not count. ``None`` leaves
            what the warm-up asks for: together with ``for_seconds`` at least ten minutes. 0 means no guard.
        by: the labels that tell one alert of this rule from another.
        labels: further labels of the rule's own.
        absent: what it means when the metrics of the expression are missing.
        optional: whether the metrics exist only with an optional part, so that their absence is no fault.
    """

    name: str
    expr: str
    severity: Severity
    category: Category
    summary: str
    description: str
    panel: Panel
    on_absent: str
    for_seconds: int = 0
    windows: Mapping[str, int] = field(default_factory=dict)
    min_counts: Mapping[str, int] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    annotation_queries: Mapping[str, Figure] = field(default_factory=dict)
    startup_grace: int | None = None
    group_labels: tuple[str, ...] = ("job", "instance")
    labels: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False

    @property
    def guard_seconds(self) -> int:
        """The start guard in force: the time since the start at which the condition begins to count."""
        return max(0, WARM_UP - self.for_seconds) if self.startup_grace is None else self.startup_grace

    def render(self, scale: float = 1.0, links: Links | None = None) -> Rendered:
        """The rule as Prometheus reads it; 1.0 gives the shipped one.

        ``scale`` multiplies windows, offsets, ``for``, the start guard and (rounded up, never below 1)
        the minimum counts. Everything else stays as it is, byte for byte.
        """
        links = links or Links()
        names = self.substitutions(scale)
        words = names | {name: figure.template(names) for name, figure in self.annotation_queries.items()}
        return Rendered(
            alert=self.name,
            expr=Template(self.template).substitute(names),
            for_=duration(self.for_seconds * scale),
            labels={
                "severity": self.severity,
                "category": self.category,
                "service": "tallow",
                **self.labels,
            },
            annotations={
                "summary": Template(self.summary).safe_substitute(words),
                "description": Template(" ".join(self.description.split())).safe_substitute(words),
                "runbook_url": f"{links.runbooks}/{self.name}",
                "dashboard_url": self.panel.url(links),
            },
        )

    @property
    def template(self) -> str:
        """The expression with its names still in it, the start guard added."""
        expr = self.expr.strip()
        if not self.guard_seconds:
            return expr
        start = METRICS["process_start_time_seconds"].full_name
        return f"(\n{_indent(expr)}\n)" + _YOUNG.format(by=", ".join(self.group_labels), start=start)

    def substitutions(self, scale: float = 1.0) -> dict[str, str]:
        """Every name of the templates and what it becomes at this scale."""
        return {
            **{name: duration(seconds * scale) for name, seconds in self.windows.items()},
            **{name: str(max(1, math.ceil(count * scale))) for name, count in self.min_counts.items()},
            **{name: number(limit) for name, limit in self.thresholds.items()},
            **{f"{name}_percent": number(round(limit * 100, 6)) for name, limit in self.thresholds.items()},
            "guard": number(self.guard_seconds * scale),
        }


def duration(seconds: float) -> str:
    """A duration in PromQL's notation, largest fitting unit: 300 -> ``5m``, 7.5 -> ``7500ms``."""
    milliseconds = round(seconds * 1000)
    if not milliseconds:
        return "0s"
    size, unit = next((size, unit) for size, unit in _UNITS if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"


def number(value: float) -> str:
    """A number as PromQL reads it, in its shortest form: 0.10 -> ``0.1``, 100.0 -> ``100``."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
