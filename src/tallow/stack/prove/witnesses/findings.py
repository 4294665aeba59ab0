"""Alerts without a witness as findings of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tallow.stack.prove.checks.model import Finding, Severity
from tallow.stack.prove.witnesses.candidate import SEARCH_S
from tallow.stack.prove.witnesses.witness import Obstacle, ObstacleKind, Witness

NONE: Final = "witness/none"
UNSETTLED: Final = "witness/unsettled"
LIMIT: Final = "witness/limit"
WITNESS_CHECKS: Final[Mapping[str, Severity]] = {NONE: "error", UNSETTLED: "warning", LIMIT: "note"}
"""The severity of each check that runs the alerts."""
DESCRIPTIONS: Final[Mapping[str, str]] = {
    NONE: "An alert that can never fire, whatever the series are.",
    UNSETTLED: "An alert for which no series were found under which it fires; it may be able to.",
    LIMIT: "An alert that was not run, as the search does not understand its expression.",
}
_CHECK_OF: Final[Mapping[ObstacleKind, str]] = {
    "never": NONE,
    "prevented": UNSETTLED,
    "budget": UNSETTLED,
    "unconfirmed": UNSETTLED,
    "limit": LIMIT,
}


def witness_findings(witnesses: Iterable[Witness]) -> Iterator[Finding]:
    """A finding for each alert without a witness. One that is not parsed has a finding already."""
    for witness in witnesses:
        obstacle, alert = witness.obstacle, witness.alert
        if obstacle is not None and obstacle.kind in _CHECK_OF:
            check = _CHECK_OF[obstacle.kind]
            yield Finding(
                alert.file, alert.line, alert.name, check, WITNESS_CHECKS[check], _message(obstacle)
            )


def _message(obstacle: Obstacle) -> str:
    return {
        "never": f"cannot fire: {obstacle.text}: {obstacle.reason}",
        "prevented": f"no firing input found: {obstacle.text}",
        "budget": f"no firing input found in {SEARCH_S:g} s: {obstacle.text}",
        "unconfirmed": f"no firing input found: {obstacle.text}",
        "limit": f"not run: {obstacle.text}",
    }[obstacle.kind]
