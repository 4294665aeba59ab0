"""An alert rule as data: its expression, durations, minimum traffic, links and text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from string import Template
from typing import Literal, Self

from tallow.monitoring.catalog import METRICS
from tallow.stack.alerts.links import Links, Panel
from tallow.stack.durations import HOUR, MINUTE, promql_duration

Severity = Literal["critical", "warning", "info"]
"""What Alertmanager routes on; PagerDuty's Events API accepts each of these values."""
Category = Literal[
    "availability", "performance", "transfers", "connections", "security", "database", "caching", "monitoring"
]

WARM_UP = 10 * MINUTE
"""Seconds after a clean start in which no rule but ServiceDown and CriticalErrors may fire."""

RESTARTS = 2
"""Restarts without a request, within an hour, from which on a start has no grace. Otherwise a server that
restarts every few minutes would hide every failure."""

SERIES_ENDED = "series_ended"
"""The annotation that is not empty while the alert's series are missing. The message of an alert that ended
has the annotations of its last evaluation: the templates call it ended, not resolved."""
_METRIC = re.compile(
    r"\b(?:tallow|alertmanager|prometheus|node|scrape|process)_\w+(?=[{\[\s)])|\bup\b(?=[{\s)])"
)
_WRITTEN_ALWAYS = re.compile(r"up$|scrape_")

_JOB = re.compile(r'(\bjob!?=|\$labels\.job )"([^"\\]+)"')
"""The name of a job in an expression, or in a template that compares it."""
_OWN_LABEL = re.compile(r"\$(instance|mountpoint)\b")

_STARTUP_GRACE = """
unless on ({labels}) (
  abs(time() - min by ({labels}) ({start}{{job="tallow"}})) < $guard
  unless on ({labels})
  max by ({labels}) (
    changes({start}{{job="tallow"}}[$restart_memory])
    - changes({requested}{{job="tallow"}}[$restart_memory])
  ) >= $restarts
)"""


@dataclass(frozen=True, slots=True)
class AnnotationQuery:
    """A further number in a description: a query that Prometheus runs when it renders the description.

    ``$instance`` and ``$mountpoint`` in ``expr`` become the quoted labels of the alert. ``pipe`` is the
    template function that formats the number. An empty result reads as 0.
    """

    expr: str
    pipe: str = "humanize"

    def template(self, values: Mapping[str, str]) -> str:
        """The query in Prometheus's template language; ``values`` are the rule's substitutions."""
        text = " ".join(self.expr.split())
        query = Template(text).substitute(values, instance="%q", mountpoint="%q")
        arguments = " ".join(f"$labels.{name}" for name in _OWN_LABEL.findall(text))
        return (
            f"{{{{ with printf `{query}` {arguments} | query }}}}"
            f"{{{{ . | first | value | {self.pipe} }}}}{{{{ else }}}}0{{{{ end }}}}"
        )


@dataclass(frozen=True, slots=True)
class RenderedRule:
    """A rule with its durations, counts, thresholds and links filled in, as the rule file contains it."""

    alert: str
    expr: str
    for_: str
    keep_firing_for: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def document(self) -> dict[str, object]:
        """The rule with the keys of Prometheus's rule file."""
        document: dict[str, object] = {"alert": self.alert, "expr": self.expr}
        if self.for_ != "0s":
            document["for"] = self.for_
        if self.keep_firing_for != "0s":
            document["keep_firing_for"] = self.keep_firing_for
        return document | {"labels": dict(self.labels), "annotations": dict(self.annotations)}


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert.

    ``expr``, ``summary`` and ``description`` are templates. ``$window`` and the other names of ``windows``
    become durations, the names of ``min_counts`` become counts, and those of ``thresholds`` become numbers
    (with ``_percent`` appended: a ratio in percent). ``$value`` and ``$labels`` are left to Prometheus.
    Every duration of the expression is such a name, so that :meth:`scaled` reaches it.

    >>> from tallow.stack.alerts import RULES
    >>> RULES["SlowTransfers"].scaled(1 / 15).render().for_
    '40s'

    Attributes:
        on_absent: what it means when the metrics of the expression are missing.
        for_seconds: seconds for which the condition must hold before the alert fires (``for``).
        windows: ranges and offsets, in seconds.
        min_counts: events that a window must contain before a ratio or quantile is evaluated.
        fixed_min_counts: counts that do not follow from the length of a window, as a number of address
            prefixes; drills do not scale them.
        thresholds: limits, in the units of the metric.
        annotation_queries: further measured values for the description.
        startup_grace: seconds after a process start during which the condition is ignored. ``None``:
            :data:`WARM_UP` less ``for_seconds``. 0: none.
        restart_memory: seconds over which restarts without a request are counted. From :data:`RESTARTS` on
            the start-up grace does not apply.
        keep_firing_seconds: seconds for which the alert goes on after its condition ended
            (``keep_firing_for``).
        group_labels: the labels that distinguish alerts of this rule from each other.
        labels: further labels that the rule adds.
        absence_is_fault: whether the rule also fires because series are missing.
        optional: whether the metrics exist only with an optional component, so that RuleInputMissing
            does not report their absence.
        job_names: the names of jobs in a deployment, by those in the templates; see :meth:`with_job_names`.
    """

    name: str
    expr: str
    severity: Severity
    category: Category
    summary: str
    description: str
    panel: Panel
    on_absent: str
    for_seconds: float = 0
    windows: Mapping[str, float] = field(default_factory=dict)
    min_counts: Mapping[str, int] = field(default_factory=dict)
    fixed_min_counts: Mapping[str, int] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    annotation_queries: Mapping[str, AnnotationQuery] = field(default_factory=dict)
    startup_grace: float | None = None
    restart_memory: float = 1 * HOUR
    keep_firing_seconds: float = 0
    group_labels: tuple[str, ...] = ("job", "instance")
    labels: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False
    absence_is_fault: bool = False
    job_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def guard_seconds(self) -> float:
        """Seconds after a process start during which the condition is ignored."""
        return max(0, WARM_UP - self.for_seconds) if self.startup_grace is None else self.startup_grace

    def scaled(self, factor: float) -> Self:
        """The same rule with every duration multiplied by ``factor``; drills and tests run it faster.

        Windows, offsets, ``for``, ``keep_firing_for`` and the start-up grace are multiplied. Minimum counts
        are, too, since a shorter window contains fewer events: rounded up, at least 1. Nothing else changes.
        """
        return replace(
            self,
            for_seconds=self.for_seconds * factor,
            startup_grace=self.guard_seconds * factor,
            restart_memory=self.restart_memory * factor,
            keep_firing_seconds=self.keep_firing_seconds * factor,
            windows={name: seconds * factor for name, seconds in self.windows.items()},
            min_counts={name: max(1, math.ceil(count * factor)) for name, count in self.min_counts.items()},
        )

    def with_job_names(self, names: Mapping[str, str]) -> Self:
        """The same rule for a deployment whose jobs have other names.

        Args:
            names: the value of the label ``job`` by the name that the rule has for it; others stay.

        >>> from tallow.stack.alerts import RULES
        >>> rule = RULES["TargetMissing"].with_job_names({"alertmanager": "main"})
        >>> 'absent(up{job="main"})' in rule.render().expr
        True
        """
        return replace(self, job_names=names)

    def render(self, links: Links | None = None) -> RenderedRule:
        """The rule as Prometheus reads it; ``links`` default to those of a stack on its default ports."""
        links = links or Links()
        values = self.substitutions()
        texts = values | {name: query.template(values) for name, query in self.annotation_queries.items()}
        return RenderedRule(
            alert=self.name,
            expr=self._with_own_jobs(Template(self.template).substitute(values)),
            for_=promql_duration(self.for_seconds),
            keep_firing_for=promql_duration(self.keep_firing_seconds),
            labels={
                "severity": self.severity,
                "category": self.category,
                "service": "tallow",
                **self.labels,
            },
            annotations={
                "summary": self._with_own_jobs(Template(self.summary).safe_substitute(texts)),
                "description": self._with_own_jobs(
                    Template(" ".join(self.description.split())).safe_substitute(texts)
                ),
                "runbook_url": f"{links.runbooks}/{self.name}",
                "dashboard_url": self.panel.url(links),
                **self._series_ended(),
            },
        )

    def _with_own_jobs(self, text: str) -> str:
        return _JOB.sub(lambda found: f'{found[1]}"{self.job_names.get(found[2], found[2])}"', text)

    def _series_ended(self) -> dict[str, str]:
        """The annotation :data:`SERIES_ENDED`; none for a rule whose alerts have no series of their own.

        A rule that also fires because series are missing has the value 0 while it measures.
        """
        metrics = set(_METRIC.findall(self.expr))
        if not metrics or "metric" in self.group_labels:
            return {}
        # A failing scrape ends every series but those that Prometheus itself writes.
        own = sorted(metric for metric in metrics if not _WRITTEN_ALWAYS.match(metric)) or sorted(metrics)
        matchers = ",".join(f"{label}=%q" for label in self.group_labels)
        query = " and ".join(f"absent({metric}{{{matchers}}})" for metric in own)
        labels = " ".join(f"$labels.{label}" for label in self.group_labels * len(own))
        note = f"{{{{ with printf `{query}` {labels} | query }}}}yes{{{{ end }}}}"
        return {
            SERIES_ENDED: f"{{{{ if eq $value 0.0 }}}}{note}{{{{ end }}}}" if self.absence_is_fault else note
        }

    @property
    def template(self) -> str:
        """The expression before substitution, with the start-up grace added."""
        expr = self.expr.strip()
        if not self.guard_seconds:
            return expr
        grace = _STARTUP_GRACE.format(
            labels=", ".join(self.group_labels),
            start=METRICS["process_start_time_seconds"].full_name,
            requested=METRICS["process_requested_start_time_seconds"].full_name,
        )
        return f"(\n{_indent(expr)}\n)" + grace

    def substitutions(self) -> dict[str, str]:
        """The value of every name in the templates."""
        return {
            **{name: promql_duration(seconds) for name, seconds in self.windows.items()},
            **{
                name: str(count) for name, count in (*self.min_counts.items(), *self.fixed_min_counts.items())
            },
            **{name: number(limit) for name, limit in self.thresholds.items()},
            **{f"{name}_percent": number(round(limit * 100, 6)) for name, limit in self.thresholds.items()},
            "guard": number(self.guard_seconds),
            "restart_memory": promql_duration(self.restart_memory),
            "restarts": str(RESTARTS),
        }


def number(value: float) -> str:
    """A number in PromQL's shortest notation: 0.10 -> ``0.1``, 100.0 -> ``100``."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
