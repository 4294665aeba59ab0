"""Input series for one alert, as the search finds them; promtool has not seen them yet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import promql_parser as ast

from tallow.stack.prove.expression import UnparsedError, parse
from tallow.stack.prove.rule_file import LoadedRule
from tallow.stack.prove.witnesses.evaluation.compiler import ExpressionCompiler
from tallow.stack.prove.witnesses.evaluation.model import Recordings
from tallow.stack.prove.witnesses.evaluation.vector import UnsupportedError
from tallow.stack.prove.witnesses.inputs.arms import Arm, arms_of
from tallow.stack.prove.witnesses.inputs.labels import ContradictionError
from tallow.stack.prove.witnesses.inputs.plan import Plan, plans
from tallow.stack.prove.witnesses.inputs.timing import Timing
from tallow.stack.prove.witnesses.search.blocked import preventing_part
from tallow.stack.prove.witnesses.search.boundary import Edge, edges, quiet_without_numbers
from tallow.stack.prove.witnesses.search.objective import Objective, SearchTime, SearchTimeError
from tallow.stack.prove.witnesses.search.structure import search
from tallow.stack.prove.witnesses.search.variables import restore, snapshot
from tallow.stack.prove.witnesses.witness import METRIC_NAME, InputSeries

SEARCH_S: Final = 2.0
"""Processor time that the search may use for a rule."""


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
        blocked_by: why no candidate was found.
    """

    rule: LoadedRule
    recordings: Recordings
    blocked_by: str = ""
    _time_left: SearchTime = field(default_factory=lambda: SearchTime(SEARCH_S))

    def candidates(self) -> Iterator[Candidate]:
        """Candidates, the tidiest first. If there are none, ``blocked_by`` is set in the end."""
        try:
            yield from self._of_arms(parse(self.rule.expr))
        except UnparsedError as error:
            self.blocked_by = f"not parsed: {error}"
        except UnsupportedError as error:
            self.blocked_by = f"limit: {error} is not understood"
        except ContradictionError as error:
            self.blocked_by = str(error)
        except SearchTimeError:
            self.blocked_by = f"limit: {SEARCH_S:g} s of search"
        except RecursionError:
            self.blocked_by = "limit: too deeply nested"

    def _of_arms(self, tree: ast.Expr) -> Iterator[Candidate]:
        any_found = False
        for number, arm in enumerate(arms_of(tree)[:_MOST_ARMS]):
            part = f"{number + 1}" if arm else ""
            found: list[Candidate] = []
            for objective in self._fired(tree, arm, self.rule.for_seconds or 0.0, self._time_left):
                any_found = True
                found += self._around(objective, part)
                if any(one.quiet_series is not None for one in found):
                    break
            yield from sorted(found, key=lambda one: one.quiet_series is None)
        if not any_found:
            self._time_left = SearchTime(SEARCH_S)
            self.blocked_by = preventing_part(tree, self._can_hold)

    def _can_hold(self, tree: ast.Expr) -> bool:
        return any(True for arm in arms_of(tree) for _ in self._fired(tree, arm, 0.0, self._time_left))

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
        kept = snapshot(plan.series)
        found = edges(objective)
        for edge in found[:_MOST_EDGES]:
            yield self._at_edge(edge, plan, part)
            list(restore(kept))
        firing, quiet = input_series(plan), None
        if not found:
            objective.rebuild()
            if quiet_without_numbers(objective):
                quiet = input_series(plan)
        yield Candidate(self.rule, part, "", plan.timing, firing, quiet)

    def _at_edge(self, edge: Edge, plan: Plan, part: str) -> Candidate:
        edge.variable.move(edge.firing)
        firing = input_series(plan)
        edge.variable.move(edge.quiet)
        name = f"{edge.variable.name} of {InputSeries(edge.variable.series.full_labels, ()).selector}"
        return Candidate(self.rule, part, name, plan.timing, firing, input_series(plan))


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
