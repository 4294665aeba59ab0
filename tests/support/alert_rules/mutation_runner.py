"""Mutation testing of alert rules: runs each mutant through the linter and through its alert's test cases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.alert_rules.promtool import Case, bare, run
from support.alert_rules.rule_mutants import Mutant
from tallow.stack.lint import check_alert

_FAILED = re.compile(r"(?:alertname: |rule: )\w+__(\d+)[,\s]")
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


def judge(
    mutants: Iterable[Mutant], cases: Sequence[Case], frame: dict[str, str], folder: Path
) -> list[Verdict]:
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
        caught = _caught(surviving, case, frame, folder)
        verdicts += [Verdict(surviving.pop(number), case=case.behaviour) for number in sorted(caught)]
    return verdicts + [Verdict(mutant) for mutant in surviving.values()]


def _position(case: Case) -> int:
    """Sort key: cases that detect the most mutants come first."""
    return min((_ORDER.index(kind) for kind in case.kinds), default=len(_ORDER))


def _caught(surviving: dict[int, Mutant], case: Case, frame: dict[str, str], folder: Path) -> set[int]:
    """The mutants that fail a case. One that cannot be evaluated ends a promtool run; the rest runs again."""
    caught: set[int] = set()
    while left := {number: mutant for number, mutant in surviving.items() if number not in caught}:
        names = {number: f"{case.alert}__{number}" for number in left}
        rules = [bare(mutant.rule.render(), names[number]) for number, mutant in left.items()]
        output = run([case.document(frame, list(names.values()))], rules, folder, 15 * case.stretch)
        found = {int(number) for number in _FAILED.findall(output)}
        assert found <= set(left), output
        assert found or not output, output
        caught |= found
        if "rule: " not in output:
            return caught
    return caught
