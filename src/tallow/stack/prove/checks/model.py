"""What a check is, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import promql_parser as ast

from tallow.stack.prove.expression import unwrapped
from tallow.stack.prove.metrics.model import KnownMetrics, SeriesFamily
from tallow.stack.prove.rule_file import LoadedRule

Severity = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""The worst first."""
CUMULATIVE_SUFFIXES: Final = ("_total", "_bucket")
GAUGE_WORDS: Final = frozenset(
    {"active", "availabilities", "available", "backed", "capacity", "free", "hdfs", "incidents", "inodes"}
    | {"members", "membership", "nodes", "offline", "online", "open", "quota", "replicas", "resource"}
    | {"resources", "uptime", "used", "busy", "idle", "pending", "queued", "remaining", "running"}
    | {"unapplied", "waiting"}
)
"""Words of names that end in ``_total`` for the total of a gauge, as ``…_nodes_offline_total``."""


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """A rule and its parsed expression."""

    rule: LoadedRule
    tree: ast.Expr
    text: str = field(init=False)
    """The expression in the parser's own format."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", unwrapped(self.tree).prettify())

    @property
    def is_alert(self) -> bool:
        return self.rule.kind == "alert"

    @property
    def identity(self) -> Hashable:
        """Kind, name, labels and expression."""
        return self.rule.kind, self.rule.name, tuple(sorted(self.rule.labels.items())), self.text

    @property
    def expression_identity(self) -> Hashable:
        """Kind, severity and expression."""
        return self.rule.kind, self.rule.labels.get("severity"), self.text


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All parsed rules, and what is known about their metrics.

    Attributes:
        metrics: of ``--metrics``; None without it.
        scrape_interval_seconds: of the metrics; None if it is not known.
    """

    rules: Sequence[ParsedRule]
    metrics: KnownMetrics | None = None
    scrape_interval_seconds: float | None = None
    recorded: frozenset[str] = field(init=False)
    _first: dict[Hashable, ParsedRule] = field(init=False, repr=False)
    _recording: dict[str, list[ParsedRule]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        recording: dict[str, list[ParsedRule]] = {}
        for one in self.rules:
            if not one.is_alert:
                recording.setdefault(one.rule.name, []).append(one)
        object.__setattr__(self, "_recording", recording)
        object.__setattr__(self, "recorded", frozenset(recording))
        first: dict[Hashable, ParsedRule] = {}
        for one in self.rules:
            for identity in (one.identity, one.expression_identity):
                first.setdefault(identity, one)
        object.__setattr__(self, "_first", first)

    def first_with_same_rule(self, parsed: ParsedRule) -> ParsedRule:
        """The first rule with the name, labels and expression of a rule, which may be the rule itself."""
        return self._first[parsed.identity]

    def first_with_same_expression(self, parsed: ParsedRule) -> ParsedRule:
        """The first rule of the kind, expression and severity of a rule."""
        return self._first[parsed.expression_identity]

    def recording(self, name: str) -> list[ParsedRule]:
        """The rules that record a series, in their order."""
        return self._recording.get(name, [])

    def family(self, name: str | None) -> SeriesFamily | None:
        """The known series of a name."""
        return self.metrics.get(name) if self.metrics is not None and name else None

    def is_counter(self, name: str | None) -> bool:
        """Whether a series is known to be cumulative, by its type or else by its suffix."""
        if not name or name in self.recorded or ":" in name:
            return False
        family = self.family(name)
        if family is not None and family.is_cumulative is not None:
            return family.is_cumulative
        return name.endswith(CUMULATIVE_SUFFIXES) and not GAUGE_WORDS & set(name.lower().split("_"))

    def is_gauge(self, name: str | None) -> bool:
        """Whether a series is known to be a gauge, by its type or else by the kind of its name."""
        family = self.family(name)
        if family is not None and family.is_cumulative is not None:
            return not family.is_cumulative
        return name == "up" or bool(name and name.endswith(GAUGE_SUFFIXES))


GAUGE_SUFFIXES: Final = ("_celsius", "_info", "_percent", "_ratio", "_timestamp_seconds", "_utilization")

Messages = Iterator[str]
RuleCheck = Callable[[ParsedRule, RuleSet], Messages]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: the heading of its section in ``docs/prove.md``.
        severity: error: the rule does not do what it says; warning: it does so only in part; note: it works,
            but some avoid this form.
        run: yields a message for each fault of a rule.
        needs_metrics: whether it is skipped without ``--metrics``.
        alerts_only: whether it is skipped for recording rules.
    """

    name: str
    severity: Severity
    run: RuleCheck
    needs_metrics: bool = False
    alerts_only: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A fault of a rule."""

    file: str
    line: int
    rule: str
    check: str
    severity: Severity
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.severity}: {self.check}: {self.message}"
