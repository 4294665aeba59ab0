"""Exemptions from linter rules, each with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tallow.stack.lint.problem import Problem


@dataclass(frozen=True, slots=True)
class Exemption:
    """The rule ``rule`` is not applied where the place's name ends in ``subject``."""

    rule: str
    subject: str
    reason: str

    def covers(self, problem: Problem) -> bool:
        return problem.rule == self.rule and problem.where.endswith(self.subject)


EXEMPTIONS = (
    Exemption(
        "panel/window",
        "tallow-overview.json: Data transferred, last 24 h",
        "the title says 24 hours, whatever range is selected",
    ),
    Exemption(
        "panel/window",
        "tallow-errors.json: Critical errors, last hour",
        "the title says one hour, whatever range is selected",
    ),
    Exemption(
        "panel/window",
        "tallow-errors.json: Recent errors",
        "recent means 15 minutes, whatever range is selected",
    ),
    Exemption(
        "panel/window",
        "tallow-errors.json: Error rate change against 1 h ago",
        "both operands need the same window, long enough to distinguish a change from noise",
    ),
    Exemption(
        "panel/selection",
        "tallow-logs.json: Series by metric",
        "the dashboard of the log lines has no variables for jobs and instances",
    ),
    Exemption("alert/warm-up", "ServiceDown", "a server that does not start is down"),
    Exemption("alert/warm-up", "CriticalErrors", "a critical error counts from the first second"),
    Exemption("alert/warm-up", "RestartLoop", "four restarts are not a clean start"),
    Exemption("alert/warm-up", "Watchdog", "it always fires, on purpose"),
    Exemption("alert/words", "ServiceDown", "it measures only whether the target answers"),
    Exemption(
        "alert/words", "RuleInputMissing", "it measures that a metric is missing; the text names the metric"
    ),
)


def without_exempt(
    problems: Iterable[Problem], exemptions: Iterable[Exemption] = EXEMPTIONS
) -> list[Problem]:
    """The problems that no exemption covers."""
    known = tuple(exemptions)
    return [problem for problem in problems if not any(exempt.covers(problem) for exempt in known)]
