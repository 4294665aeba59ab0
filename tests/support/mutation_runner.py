"""Does anything notice? Broken rules through the linter and through every case of their alert."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.promtool import Case, bare, run
from support.rule_mutants import Mutant
from tallow.stack.lint import check_alert

_FAILED = re.compile(r"(?:alertname: |rule: )\w+__(\d+)[,\s]")
_ORDER = ("fires", "enough", "below", "few", "start")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What noticed a mutant: a linter rule, the behaviour of a case, or nothing."""

    mutant: Mutant
    linter: str = ""
    case: str = ""

    @property
    def killed(self) -> bool:
        return bool(self.linter or self.case)


def judge(
    mutants: Iterable[Mutant], cases: Sequence[Case], frame: dict[str, str], folder: Path
) -> list[Verdict]:
    """A verdict on each mutant of one rule. What the linter lets through is tried on the cases.

    All mutants still alive share a promtool run a case, under names of their own.
    """
    verdicts, alive = [], {}
    for number, mutant in enumerate(mutants):
        problems = check_alert(mutant.rule)
        if problems:
            verdicts.append(Verdict(mutant, linter=problems[0].rule))
        else:
            alive[number] = mutant
    for case in sorted(cases, key=_place):
        caught = _caught(alive, case, frame, folder)
        verdicts += [Verdict(alive.pop(number), case=case.behaviour) for number in sorted(caught)]
    return verdicts + [Verdict(mutant) for mutant in alive.values()]


def _place(case: Case) -> int:
    """Cases that notice most come first."""
    return min((_ORDER.index(kind) for kind in case.kinds), default=len(_ORDER))


def _caught(alive: dict[int, Mutant], case: Case, frame: dict[str, str], folder: Path) -> set[int]:
    """The mutants that break a case. One that cannot be evaluated ends the run: it goes on without it."""
    caught: set[int] = set()
    while left := {number: mutant for number, mutant in alive.items() if number not in caught}:
        names = {number: f"{case.alert}__{number}" for number in left}
        rules = [bare(mutant.rule.render(), names[number]) for number, mutant in left.items()]
        said = run([case.document(frame, list(names.values()))], rules, folder, 15 * case.stretch)
        found = {int(number) for number in _FAILED.findall(said)}
        assert found <= set(left), said
        assert found or not said, said
        caught |= found
        if "rule: " not in said:
            return caught
    return caught
