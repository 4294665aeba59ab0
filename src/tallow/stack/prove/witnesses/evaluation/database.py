"""The input series that an expression is evaluated on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tallow.stack.prove.witnesses.evaluation.matchers import LabelMatcher
from tallow.stack.prove.witnesses.evaluation.signal import Signal
from tallow.stack.prove.witnesses.evaluation.vector import Labels

Stored = tuple[Labels, Signal]


@dataclass(slots=True)
class Database:
    """Input series by metric.

    Attributes:
        by_name: labels without the name, and the course.
        interval: seconds between two evaluations of recording rules.
        closed: whether ranges include their start.
    """

    by_name: Mapping[str, Sequence[Stored]]
    interval: float = 60.0
    closed: bool = False
    _selected: dict[int, list[Stored]] = field(default_factory=dict)

    def select(self, identity: int, name: str, matchers: Sequence[LabelMatcher]) -> list[Stored]:
        """The series of a selector, of any metric if the name is empty. Kept under its identity."""
        if identity not in self._selected:
            metrics = self.by_name if not name else [name]
            named = [
                ({**labels, "__name__": metric}, signal)
                for metric in metrics
                for labels, signal in self.by_name.get(metric, ())
            ]
            self._selected[identity] = [
                (labels, signal)
                for labels, signal in named
                if all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)
            ]
        return self._selected[identity]
