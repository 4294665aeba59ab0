"""When TargetMissing fires, and when not."""

from __future__ import annotations

from stack.alerts.cases.self_monitoring.programs import ALERTMANAGER, NODE, PROMETHEUS, of
from support.alert_rules.promtool import Case, gauge, gauge_until_stale

PROGRAMS = {place["job"]: place for place in (ALERTMANAGER, NODE, PROMETHEUS)}


def ups(*gone: str) -> dict[str, str]:
    """Tallow and the stack's programs without ``gone``, all scraped."""
    series = {"up": gauge((180, 1))}
    for job, place in PROGRAMS.items():
        if job not in gone:
            series |= of(place, "up", gauge((180, 1)))
    return series


CASES = [
    Case(
        "TargetMissing",
        "fires when a scrape has failed for ten minutes, and resolves with the next good one",
        ups() | of(NODE, "up", gauge((20, 1), (30, 0), (30, 1))),
        quiet=(20, 29.5, 50.5),
        firing=(30.5, 49.5),
        labels=NODE,
        kinds=("fires",),
    ),
    Case(
        "TargetMissing",
        "stays quiet when a scrape fails for nine minutes",
        ups() | of(NODE, "up", gauge((20, 1), (9, 0), (30, 1))),
        quiet=(20, 25, 29.5, 31),
        labels=NODE,
        kinds=("below",),
    ),
    *(
        Case(
            "TargetMissing",
            f"fires when job {gone} has lost its last target, until it is back",
            ups(gone) | of(place, "up", f"{gauge_until_stale(20, 1)} {gauge((89.75, None), (10, 1))}"),
            quiet=(19, 29.5, 110.5),
            firing=(30.5, 70, 109.5),
            labels={"job": gone},
            kinds=("fires",),
        )
        for gone, place in PROGRAMS.items()
    ),
    Case(
        "TargetMissing",
        "leaves the scrape of Tallow to ServiceDown",
        ups() | {"up": gauge((20, 1), (30, 0))},
        quiet=(30, 49),
    ),
]
