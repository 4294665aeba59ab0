"""The labels of the input series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tallow.stack.prove.witnesses.evaluation.matchers import LabelMatcher, solve
from tallow.stack.prove.witnesses.evaluation.vector import Labels
from tallow.stack.prove.witnesses.inputs.uses import SelectorUse, Uses


class ContradictionError(Exception):
    """No label value satisfies all matchers of a selector. The text is the matchers."""


_POSITIVE: Final = ("=", "=~")
_OPPOSITE: Final = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


@dataclass(frozen=True, slots=True)
class LabelStrategy:
    """How labels are chosen where the matchers leave a choice.

    Attributes:
        spread: each series has every label that a matcher of any selector asks for, so that series match
            although the expression does not say on which labels.
        reuse: a selector gets no series of its own if it selects that of another.
    """

    spread: bool
    reuse: bool


STRATEGIES = (
    LabelStrategy(spread=False, reuse=False),
    LabelStrategy(spread=True, reuse=False),
    LabelStrategy(spread=False, reuse=True),
    LabelStrategy(spread=True, reuse=True),
)


def series_labels(uses: Uses, strategy: LabelStrategy) -> list[tuple[SelectorUse, Labels]]:
    """A series for each selector that needs one of its own.

    Raises:
        ContradictionError: the matchers of a selector exclude each other.
    """
    common = _common_values(uses, _POSITIVE if not strategy.spread else (*_POSITIVE, "!=", "!~"))
    names = list(uses.labels) if not strategy.spread else list(common)
    found = [(use, _labels(use, names, common)) for use in uses.selectors]
    if not strategy.reuse:
        return [(use, _apart(use, labels, uses)) for use, labels in found]
    # A selector with more matchers comes first: its series can serve one with fewer.
    found.sort(key=lambda each: -len(each[1]))
    kept: list[tuple[SelectorUse, Labels]] = []
    for use, labels in found:
        if not any(other.metric == use.metric and _selects(use, theirs) for other, theirs in kept):
            kept.append((use, labels))
    return kept


def _selects(use: SelectorUse, labels: Labels) -> bool:
    return all(one.matches(labels.get(one.name, "")) for one in use.matchers)


def _apart(use: SelectorUse, labels: Labels, uses: Uses) -> Labels:
    """Labels with which the series of a selector is not one of a narrower selector, too."""
    own = {"le", *(one.name for one in (*use.matchers, *use.wanted))}
    for other in uses.selectors:
        added = next((one for one in other.matchers if one.name not in own), None)
        if added is None or other.metric != use.metric or not _selects(other, labels):
            continue
        opposite = LabelMatcher(added.name, _OPPOSITE[added.operator], added.value, added.pattern)
        value = solve([opposite], f"{opposite.name}-2")
        labels = labels if value is None else {**labels, opposite.name: value}
    return labels


def _common_values(uses: Uses, operators: Sequence[str]) -> dict[str, str]:
    """The value of each label that the selectors share where their matchers allow it."""
    common = {label: example for label, example in uses.labels.items() if example}
    for operator in operators:
        for one, matchers in _asked(uses, operator):
            if one.name not in common:
                value = solve(_for(one.name, matchers), f"{one.name}-1")
                common |= {one.name: value} if value else {}
    for label in uses.labels:
        common.setdefault(label, f"{label}-1")
    return common


def _asked(uses: Uses, operator: str) -> Iterator[tuple[LabelMatcher, Sequence[LabelMatcher]]]:
    """The matchers with an operator, each with all of its selector."""
    for use in uses.selectors:
        matchers = (*use.matchers, *use.wanted)
        yield from ((one, matchers) for one in matchers if one.operator == operator and one.name != "le")


def _labels(use: SelectorUse, names: Sequence[str], common: dict[str, str]) -> Labels:
    labels: Labels = {}
    for name in dict.fromkeys([*(one.name for one in (*use.matchers, *use.wanted)), *names]):
        own = _for(name, use.matchers)
        value = solve([*own, *_for(name, use.wanted)], common.get(name, f"{name}-1"))
        if value is None:
            value = solve(own, common.get(name, f"{name}-1"))
        if value is None:
            text = ",".join(f'{one.name}{one.operator}"{one.value}"' for one in own)
            raise ContradictionError(f"{use.metric}{{{text}}}")
        if value:
            labels[name] = value
    return labels


def _for(name: str, matchers: Sequence[LabelMatcher]) -> list[LabelMatcher]:
    return [one for one in matchers if one.name == name]
