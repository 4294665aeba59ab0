"""docs/alert-proof.md: the cases of every alert, and the mutation score of the last run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stack.alerts.cases import CASES
from stack.alerts.equivalent_mutants import EQUIVALENTS, reason
from support.alert_rules.mutation_runner import Verdict
from support.alert_rules.rule_mutants import OPERATORS
from tallow.stack.alerts import RULES

PATH = Path(__file__).parents[3] / "docs" / "alert-proof.md"
SCORE = "## Mutants\n"
_INTRODUCTION = """\
# Tests of the alerts

Written by `scripts/proof -k mutations`. Times and thresholds of the rules are in [alerts.md](alerts.md).

`promtool test rules` runs each of these cases on the shipped rule. The series are in
`tests/stack/alerts/cases/`. In addition, all alerts are evaluated together during hours of normal traffic, an
idle night, a restart, a deployment, a lost worker, a scrape gap, clock steps, counter resets and missing
metrics (`tests/stack/alerts/test_alert_noise.py`).

## Cases
"""
_MUTANTS = """
A mutant is a copy of a rule with one change, which the linter or a case has to detect. Equivalent mutants,
which mean the same as the rule, are not counted; they are listed below with reasons, and the run fails if one
is detected.

"""


def about_cases() -> str:
    """The page up to the score."""
    lines = [_INTRODUCTION]
    for alert in RULES:
        lines.append(f"\n**{alert}**\n")
        lines += [f"- {case.behaviour}" for case in CASES if case.alert == alert]
    return "\n".join(lines) + "\n\n"


def page(found: Mapping[str, Sequence[Verdict]]) -> str:
    """The whole page."""
    together = [verdict for each in found.values() for verdict in each]
    return (
        about_cases()
        + SCORE
        + _MUTANTS
        + _score(together)
        + _table("mutation operator", {kind: _of_kind(together, kind) for kind in OPERATORS})
        + "\n"
        + _table("alert", found)
        + _equivalents(together)
    )


def _of_kind(found: Iterable[Verdict], kind: str) -> list[Verdict]:
    return [verdict for verdict in found if verdict.mutant.operator == kind]


def _score(found: Sequence[Verdict]) -> str:
    killed = sum(verdict.killed for verdict in found)
    same = sum(reason(verdict.mutant) is not None for verdict in found)
    share = killed / (len(found) - same)
    return (
        f"**{killed} of {len(found) - same} mutants detected ({share:.1%})**, "
        f"and {same} of {len(found)} equivalent.\n\n"
    )


def _table(title: str, rows: Mapping[str, Sequence[Verdict]]) -> str:
    lines = [f"| {title} | mutants | linter | cases | equivalent | undetected |", "|---|---|---|---|---|---|"]
    together = [verdict for found in rows.values() for verdict in found]
    for name, found in {**rows, "**all**": together}.items():
        linter = sum(bool(verdict.linter) for verdict in found)
        cases = sum(bool(verdict.case) for verdict in found)
        same = sum(reason(verdict.mutant) is not None for verdict in found)
        lines.append(
            f"| {name} | {len(found)} | {linter} | {cases} | {same} | {len(found) - linter - cases - same} |"
        )
    return "\n".join(lines) + "\n"


def _equivalents(found: Sequence[Verdict]) -> str:
    lines = [
        "\n### Equivalent mutants\n",
        "| alerts | change | why no test can detect it |",
        "|---|---|---|",
    ]
    for entry in EQUIVALENTS:
        names = sorted({verdict.mutant.rule.name for verdict in found if entry.covers(verdict.mutant)})
        breaks = sorted(
            {verdict.mutant.what.partition(" #")[0] for verdict in found if entry.covers(verdict.mutant)}
        )
        lines.append(f"| {', '.join(names)} | {entry.operator}: {'; '.join(breaks)} | {entry.reason} |")
    return "\n".join(lines) + "\n"
