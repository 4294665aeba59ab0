"""Where a rule does not hold, and why: the only way around the linter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tallow.stack.lint.problem import Problem


@dataclass(frozen=True, slots=True)
class Exemption:
    """Rule ``rule`` is not applied to the place whose name ends in ``subject``."""

    rule: str
    subject: str
    reason: str

    def covers(self, problem: Problem) -> bool:
        return problem.rule == self.rule and problem.where.endswith(self.subject)


EXEMPTIONS = (
    Exemption(
        "panel/window",
        "tallow-overview.json: Data transferred, last 24 h",
        "the title promises 24 hours, whatever range is chosen",
    ),
    Exemption(
        "panel/window",
        "tallow-errors.json: Critical errors, last hour",
        "the title promises one hour, whatever range is chosen",
    ),
    Exemption(
        "panel/window",
        "tallow-errors.json: Recent errors",
        "recent means 15 minutes, whatever range is chosen",
    ),
    Exemption(
        "panel/window",
        "tallow-errors.json: Error rate change against 1 h ago",
        "both sides need the same window, and longer than a few scrapes to tell a change from chance",
    ),
    Exemption("alert/warm-up", "ServiceDown", "a server that does not come up is down"),
    Exemption("alert/warm-up", "CriticalErrors", "a critical error counts from the first second"),
    Exemption("alert/warm-up", "RestartLoop", "four starts in a row are no clean one"),
    Exemption("alert/warm-up", "Watchdog", "always fires: that is its meaning"),
    Exemption("alert/words", "ServiceDown", "what is measured is whether there is an answer"),
    Exemption("alert/words", "TargetMissing", "what is measured is whether there is an answer"),
    Exemption("alert/words", "RuleInputMissing", "what is measured is not there; its name is said"),
)


def without_exempt(
    problems: Iterable[Problem], exemptions: Iterable[Exemption] = EXEMPTIONS
) -> list[Problem]:
    """The problems no exemption covers."""
    known = tuple(exemptions)
    return [problem for problem in problems if not any(exempt.covers(problem) for exempt in known)]
