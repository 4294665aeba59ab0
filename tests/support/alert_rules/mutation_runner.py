"""Mutation testing of alert rules: runs each mutant through the linter and through its alert's test cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from support.alert_rules.promtool import Case, bare
from support.alert_rules.rule_mutants import Mutant
from support.programs.debian import program
from tallow.stack.engines.programs.programs import Program
from tallow.stack.lint import check_alert
from tallow.stack.prove.mutation.detection import AlertTest, detected
from tallow.stack.prove.promtool.program import Promtool

_ORDER = ("fires", "enough", "below", "few", "start")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What detected a mutant: a linter rule, a test case's behaviour, or nothing."""

    mutant: Mutant
    linter: str = ""
    case: str = ""

    @property
    def killed(self) -> bool:
        return bool(self.linter or self.case)


def judge(mutants: Iterable[Mutant], cases: Sequence[Case], frame: dict[str, str]) -> list[Verdict]:
    """A verdict on each mutant of one rule. Mutants that pass the linter are run against the test cases.

    All surviving mutants share one promtool run per case, each under its own alert name.
    """
    verdicts, surviving = [], {}
    for number, mutant in enumerate(mutants):
        problems = check_alert(mutant.rule)
        if problems:
            verdicts.append(Verdict(mutant, linter=problems[0].rule))
        else:
            surviving[number] = mutant
    for case in sorted(cases, key=_position):
        caught = _caught(surviving, case, frame)
        verdicts += [Verdict(surviving.pop(number), case=case.behaviour) for number in sorted(caught)]
    return verdicts + [Verdict(mutant) for mutant in surviving.values()]


def _position(case: Case) -> int:
    """Sort key: cases that detect the most mutants come first."""
    return min((_ORDER.index(kind) for kind in case.kinds), default=len(_ORDER))


def _caught(surviving: dict[int, Mutant], case: Case, frame: dict[str, str]) -> set[int]:
    """The mutants that fail a case."""
    document = case.document(frame)
    expectations = document.pop("alert_rule_test")
    assert isinstance(expectations, list)
    rules = {number: bare(mutant.rule.render(), case.alert) for number, mutant in surviving.items()}
    test = AlertTest(str(case), document, expectations, 15 * case.stretch)
    return detected(rules, test, Promtool(Program(program("promtool"))))
