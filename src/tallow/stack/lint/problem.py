"""A problem that the linter found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A broken linter rule: ``rule`` is a heading of docs/lint.md, ``where`` a file and panel or alert.

    >>> str(Problem("rules.yml: ServiceDown", "alert/runbook", "no page"))
    'rules.yml: ServiceDown: alert/runbook: no page'
    """

    where: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}: {self.message}"
