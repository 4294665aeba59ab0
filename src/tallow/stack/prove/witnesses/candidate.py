"""Input series for one alert, as the search finds them; promtool has not seen them yet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import promql_parser as ast

from tallow.stack.prove.expression import UnparsedError, parse, text_of
from tallow.stack.prove.rule_file import LoadedRule
from tallow.stack.prove.witnesses.evaluation.compiler import ExpressionCompiler
from tallow.stack.prove.witnesses.evaluation.model import Recordings
from tallow.stack.prove.witnesses.evaluation.vector import UnsupportedError
from tallow.stack.prove.witnesses.impossibility.proof import why_never
from tallow.stack.prove.witnesses.inputs.arms import Arm, arms_of
from tallow.stack.prove.witnesses.inputs.labels import ContradictionError
from tallow.stack.prove.witnesses.inputs.plan import Plan, plans
from tallow.stack.prove.witnesses.inputs.timing import Timing
from tallow.stack.prove.witnesses.search.blocked import limit_of, preventing_part
from tallow.stack.prove.witnesses.search.boundary import Edge, edges, quiet_without_numbers
from tallow.stack.prove.witnesses.search.objective import Objective, SearchTime, SearchTimeError
from tallow.stack.prove.witnesses.search.structure import search
from tallow.stack.prove.witnesses.search.variables import restore, snapshot
from tallow.stack.prove.witnesses.witness import METRIC_NAME, InputSeries, Obstacle, ObstacleKind

SEARCH_S: Final = 2.0
"""Processor time that the search may use for a rule."""
_PROVEN_S: Final = 0.1
"""The same for a rule that is proven not to fire: series that were found would refute the proof."""
DIAGNOSIS_S: Final = 1.0
"""Processor time to find the part that prevents a result."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Series under which the evaluation sees an alert fire.

    Attributes:
        part: which operands of ``or`` have the result; witnesses of different parts add to each other.
        edge: what was varied to make the alert quiet.
        quiet_series: series just below; None if none were found.
    """

    rule: LoadedRule
    part: str
    edge: str
    timing: Timing
    series: tuple[InputSeries, ...]
    quiet_series: tuple[InputSeries, ...] | None


@dataclass(slots=True)
class CandidateSearch:
    """The search for one alert.

    Attributes:
        seconds: of processor time that it may use.
        diagnosis_seconds: that it may use to find the part that prevents a result.
        obstacle: why no candidate was found; None as long as that is not known.
    """

    rule: LoadedRule
    recordings: Recordings
    seconds: float = SEARCH_S
    diagnosis_seconds: float = DIAGNOSIS_S
    obstacle: Obstacle | None = None
    _time_left: SearchTime = field(init=False)

    def __post_init__(self) -> None:
        self._time_left = SearchTime(self.seconds)

    @property
    def seconds_left(self) -> float:
        """Processor time that is left; negative if the search was cut off."""
        return self._time_left.left

    def candidates(self) -> Iterator[Candidate]:
        """Candidates, the tidiest first. If there are none, ``obstacle`` is set in the end."""
        try:
            tree = parse(self.rule.expr)
        except UnparsedError as error:
            self.obstacle = Obstacle("unparsed", str(error))
            return
        if _never(tree):
            self._time_left = SearchTime(min(self.seconds, _PROVEN_S))
        try:
            yield from self._candidates(tree)
        except UnsupportedError as error:
            self.obstacle = _never(tree) or Obstacle("limit", f"{error} is not understood")
        except ContradictionError as error:
            self.obstacle = _never(tree) or Obstacle("prevented", str(error))
        except RecursionError:
            self.obstacle = Obstacle("limit", "nested too deep")

    def _candidates(self, tree: ast.Expr) -> Iterator[Candidate]:
        any_found = False
        kind: ObstacleKind = "prevented"
        try:
            for candidate in self._of_arms(tree):
                any_found = True
                yield candidate
        except SearchTimeError:
            kind = "budget"
        if not any_found:
            self.obstacle = self._obstacle(tree, kind)

    def _of_arms(self, tree: ast.Expr) -> Iterator[Candidate]:
        for number, arm in enumerate(arms_of(tree)[:_MOST_ARMS]):
            part = f"{number + 1}" if arm else ""
            found: list[Candidate] = []
            is_over = False
            try:
                for objective in self._fired(tree, arm, self.rule.for_seconds or 0.0, self._time_left):
                    for one in self._around(objective, part):
                        found.append(one)  # noqa: PERF402 - those before the end of the time are kept
                    if any(one.quiet_series is not None for one in found):
                        break
            except SearchTimeError:
                is_over = True
            yield from sorted(found, key=lambda one: one.quiet_series is None)
            if is_over:
                raise SearchTimeError

    def _obstacle(self, tree: ast.Expr, kind: ObstacleKind) -> Obstacle:
        """Why no series were found. A part without a result prevents one also if the search was cut off."""
        if never := _never(tree):
            return never
        if limit := limit_of(tree):
            return Obstacle("limit", f"{limit} is not understood")
        self._time_left = SearchTime(self.diagnosis_seconds)
        part = preventing_part(tree, self._can_hold)
        return Obstacle(kind, text_of(tree)) if part is None else Obstacle("prevented", part)

    def _can_hold(self, tree: ast.Expr) -> bool:
        """Whether series are found under which an expression has a result; without time left, it may."""
        try:
            return any(True for arm in arms_of(tree) for _ in self._fired(tree, arm, 0.0, self._time_left))
        except SearchTimeError:
            return True
        except ContradictionError:
            return False

    def _fired(self, tree: ast.Expr, arm: Arm, hold: float, time_left: SearchTime) -> Iterator[Objective]:
        """Objectives with series under which an expression has a result."""
        evaluate = ExpressionCompiler(self.recordings).compile(tree)
        for plan in plans(tree, hold, self.recordings, arm):
            objective = Objective(evaluate, plan, time_left, time.thread_time, arm)
            if not search(objective):
                yield objective

    def _around(self, objective: Objective, part: str) -> Iterator[Candidate]:
        """Candidates from series under which the alert fires: next to the condition, then as found."""
        plan = objective.plan
        kept, firing, quiet = snapshot(plan.series), input_series(plan), None
        found: list[Edge] = []
        is_over = False
        try:
            found = edges(objective)
            if not found and quiet_without_numbers(objective):
                quiet = input_series(plan)
        except SearchTimeError:
            is_over = True
        for edge in found[:_MOST_EDGES]:
            yield self._at_edge(edge, plan, part)
            list(restore(kept))
        yield Candidate(self.rule, part, "", plan.timing, firing, quiet)
        if is_over:
            raise SearchTimeError

    def _at_edge(self, edge: Edge, plan: Plan, part: str) -> Candidate:
        edge.variable.move(edge.firing)
        firing = input_series(plan)
        edge.variable.move(edge.quiet)
        name = f"{edge.variable.name} of {InputSeries(edge.variable.series.full_labels, ()).selector}"
        return Candidate(self.rule, part, name, plan.timing, firing, input_series(plan))


def _never(tree: ast.Expr) -> Obstacle | None:
    """The proof that an expression never has a result; None if there is none."""
    found = why_never(tree)
    return None if found is None else Obstacle("never", text_of(found.part), found.reason)


_MOST_ARMS: Final = 8
_MOST_EDGES: Final = 6


def input_series(plan: Plan) -> tuple[InputSeries, ...]:
    """The series of a plan with their samples. Absent ones are left out."""
    return tuple(
        InputSeries({METRIC_NAME: series.metric, **labels}, signal.spans(plan.timing.samples))
        for series in plan.series
        if series.shape != "absent"
        for labels, signal in series.stored
    )
