"""The input series that an expression is evaluated on."""

from __future__ import annotations

import re
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
    """

    by_name: Mapping[str, Sequence[Stored]]
    interval: float = 60.0
    _selected: dict[int, list[Stored]] = field(default_factory=dict)

    def select(
        self, identity: int, name: re.Pattern[str] | str, matchers: Sequence[LabelMatcher]
    ) -> list[Stored]:
        """The series of a selector. Results are kept under its identity."""
        if identity not in self._selected:
            self._selected[identity] = [
                (labels | {"__name__": metric}, signal)
                for metric, stored in self.by_name.items()
                if (metric == name if isinstance(name, str) else name.fullmatch(metric))
                for labels, signal in stored
                if all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)
            ]
        return self._selected[identity]
