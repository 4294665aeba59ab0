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
from tallow.stack.prove.witnesses.evaluation.model import Evaluate, Recordings
from tallow.stack.prove.witnesses.evaluation.vector import UnsupportedError
from tallow.stack.prove.witnesses.inputs.arms import arms_of
from tallow.stack.prove.witnesses.inputs.labels import ContradictionError
from tallow.stack.prove.witnesses.inputs.plan import Plan, plans
from tallow.stack.prove.witnesses.inputs.timing import Timing
from tallow.stack.prove.witnesses.search.blocked import preventing_part
from tallow.stack.prove.witnesses.search.boundary import Edge, edges, quiet_without_numbers
from tallow.stack.prove.witnesses.search.objective import Budget, BudgetError, Objective
from tallow.stack.prove.witnesses.search.structure import search
from tallow.stack.prove.witnesses.search.variables import restore, snapshot
from tallow.stack.prove.witnesses.witness import METRIC_NAME, InputSeries

BUDGET_S: Final = 2.0
"""Processor time that the search may use for a rule."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Series under which the evaluation sees an alert fire.

    Attributes:
        quiet_series: series just below; None if none were found.
    """

    rule: LoadedRule
    timing: Timing
    series: tuple[InputSeries, ...]
    quiet_series: tuple[InputSeries, ...] | None


@dataclass(slots=True)
class CandidateSearch:
    """The search for one alert.

    Attributes:
        blocked_by: why no further candidate was found.
    """

    rule: LoadedRule
    recordings: Recordings
    blocked_by: str = ""
    _nearest: float = field(default=float("inf"))

    def candidates(self) -> Iterator[Candidate]:
        """Candidates, the tidiest first. Ends with ``blocked_by`` set."""
        try:
            tree = parse(self.rule.expr)
            compiler = ExpressionCompiler(self.recordings)
            evaluate = compiler.compile(tree)
            yield from self._of_plans(tree, compiler, evaluate)
        except UnparsedError as error:
            self.blocked_by = f"not parsed: {error}"
        except UnsupportedError as error:
            self.blocked_by = f"limit: {error} is not understood"
        except ContradictionError as error:
            self.blocked_by = str(error)
        except BudgetError:
            self.blocked_by = self.blocked_by or f"limit: {BUDGET_S:g} s of search"
        except RecursionError:
            self.blocked_by = "limit: too deeply nested"

    def _of_plans(
        self, tree: ast.Expr, compiler: ExpressionCompiler, evaluate: Evaluate
    ) -> Iterator[Candidate]:
        budget = Budget(BUDGET_S)
        for arm in arms_of(tree):
            for plan in plans(tree, self.rule.for_seconds or 0.0, self.recordings, arm):
                objective = Objective(evaluate, plan, budget, time.thread_time, arm)
                distance = search(objective)
                if distance:
                    self._note(distance, tree, compiler, objective)
                else:
                    yield from self._around(objective)

    def _note(
        self, distance: float, tree: ast.Expr, compiler: ExpressionCompiler, objective: Objective
    ) -> None:
        """Keep the part that prevents a result of the series that come nearest."""
        if distance < self._nearest:
            self._nearest = distance
            self.blocked_by = preventing_part(tree, compiler, objective)

    def _around(self, objective: Objective) -> Iterator[Candidate]:
        """Candidates from series under which the alert fires: next to the condition, then as found."""
        kept = snapshot(objective.plan.series)
        found = edges(objective)
        for edge in found[:2]:
            yield self._at_edge(edge, objective.plan)
            list(restore(kept))
        firing = input_series(objective.plan)
        if not found and quiet_without_numbers(objective):
            yield Candidate(self.rule, objective.plan.timing, firing, input_series(objective.plan))
        yield Candidate(self.rule, objective.plan.timing, firing, None)

    def _at_edge(self, edge: Edge, plan: Plan) -> Candidate:
        edge.variable.move(edge.firing)
        firing = input_series(plan)
        edge.variable.move(edge.quiet)
        return Candidate(self.rule, plan.timing, firing, input_series(plan))


def input_series(plan: Plan) -> tuple[InputSeries, ...]:
    """The series of a plan with their samples. Absent ones are left out."""
    return tuple(
        InputSeries({METRIC_NAME: series.metric, **labels}, signal.spans(plan.timing.samples))
        for series in plan.series
        if series.shape != "absent"
        for labels, signal in series.stored
    )
