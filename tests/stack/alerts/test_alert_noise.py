"""All alerts during events in a fleet: only the expected ones fire."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.alerts.cases.self_monitoring.inputs import INPUTS, PLACES, place_of
from stack.alerts.cases.self_monitoring.programs import of
from stack.alerts.contract import frame
from stack.alerts.fleet import START, Event, ProcessRun, document, in_sequence, on, other_programs, server
from support.alert_rules.promtool import bare, gauge, run
from tallow.stack.alerts import RULES

pytestmark = pytest.mark.slow

DAY = ProcessRun(((180, 1),))
EVALUATED_EVERY_S = 30
"""Half as often as shipped, because all rules over hours take long to evaluate."""


def instance(name: str, *runs: ProcessRun, up: str | None = None) -> dict[str, str]:
    """The series of an instance with one or several processes in sequence."""
    minutes = sum(span[0] for run in runs for span in run.spans)
    return on(name, {**in_sequence(*(server(run) for run in runs)), "up": up or gauge((minutes, 1))})


def restarted(at: float, rest: float) -> tuple[ProcessRun, ProcessRun, ProcessRun]:
    """A process that ends at a minute, and the next one half a minute later."""
    return (
        ProcessRun(((at, 1),)),
        ProcessRun(((0.5, None),)),
        ProcessRun(((rest, 1),), started=(at + 0.5) * 60),
    )


def down(at: float, rest: float, minutes: float = 0.5) -> str:
    return gauge((at, 1), (minutes, 0), (rest, 1))


EVERY = tuple(range(2, 178, 5))
AFTER = (*range(2, 58, 8), *(60 + step / 2 for step in range(1, 40)), *range(85, 175, 10))

NIGHT = ((10, 1), (120, 0), (20, 1))
GAP = ((60, 1), (20, None), (100, 1))
EVENTS = [
    Event(
        "healthy traffic on two instances",
        instance("a:3000", DAY) | instance("b:3000", DAY) | other_programs(180),
        EVERY,
    ),
    Event(
        "a night of eight hours without traffic",
        instance("a:3000", ProcessRun(NIGHT)) | other_programs(150),
        (5, 9, 12, 15, 17, 20, 40, 60, 90, 120, 129, 132, 135, 140, 149),
        {("NoActiveConnections", "a:3000"): [(17.6, 129.9)]},
        stretch=4,
    ),
    Event(
        "a restart under traffic",
        instance("a:3000", *restarted(60, 120), up=down(60, 120)) | other_programs(180),
        AFTER,
    ),
    Event(
        "a deploy that restarts one instance after another",
        {
            name: samples
            for place, at in (("a:3000", 60), ("b:3000", 62), ("c:3000", 64))
            for name, samples in instance(place, *restarted(at, 180 - at), up=down(at, 180 - at)).items()
        }
        | other_programs(180),
        AFTER,
    ),
    Event(
        "three restarts within half an hour",
        instance(
            "a:3000",
            ProcessRun(((60, 1),)),
            *(
                run
                for at in (60, 70, 80)
                for run in (
                    ProcessRun(((0.5, None),)),
                    ProcessRun((((100 if at == 80 else 9.5), 1),), started=(at + 0.5) * 60),
                )
            ),
            up=gauge((60, 1), (0.5, 0), (9.5, 1), (0.5, 0), (9.5, 1), (0.5, 0), (100, 1)),
        )
        | other_programs(180),
        AFTER,
    ),
    Event(
        "a worker that is lost, the oldest one, with its CPU time and memory",
        instance("a:3000", DAY)
        | on(
            "a:3000",
            {
                "tallow_process_cpu_seconds_total": "9000+10x239 5000+5x479",
                "tallow_workers": gauge((60, 2), (120, 1)),
                START: gauge((60, -7200), (120, -7000)),
            },
        )
        | other_programs(180),
        AFTER,
    ),
    Event(
        "twenty minutes in which the scrape of Tallow fails",
        instance("a:3000", ProcessRun(GAP), up=down(60, 100, 20))
        | instance("b:3000", DAY)
        | other_programs(180),
        AFTER,
        {("ServiceDown", "a:3000"): [(61, 79.9)]},
    ),
    Event(
        "twenty minutes in which Prometheus is away",
        instance("a:3000", ProcessRun(GAP), up=gauge((60, 1), (20, None), (100, 1)))
        | other_programs(180, *GAP),
        tuple(at for at in AFTER if not 60 <= at <= 81),
    ),
    Event(
        "a clock of the monitoring that leaps an hour ahead",
        instance(
            "a:3000",
            ProcessRun(((60, 1), (60, None), (60, 1))),
            up=gauge((60, 1), (60, None), (60, 1)),
        )
        | other_programs(180, (60, 1), (60, None), (60, 1)),
        (*range(2, 60, 8), *(121 + step for step in range(40))),
    ),
    *(
        Event(
            f"a clock of the application that leaps {word}",
            instance("a:3000", DAY)
            | on("a:3000", {START: gauge((60, -7200), (120, -7200 + leap))})
            | other_programs(180),
            AFTER,
        )
        for word, leap in (("an hour ahead", 3600), ("an hour back", -3600), ("three hours ahead", 10800))
    ),
    Event(
        "counters of every kind that reset without a restart",
        instance("a:3000", ProcessRun(((60, 1),), counted=50_000), ProcessRun(((120, 1),)))
        | other_programs(180),
        AFTER,
    ),
]


@pytest.mark.parametrize("event", EVENTS, ids=str)
def test_only_expected_alerts_fire(event: Event, tmp_path: Path) -> None:
    rules = [bare(rule.render()) for rule in RULES.values()]
    assert run([document(event)], rules, tmp_path, EVALUATED_EVERY_S * event.stretch) == ""


def test_missing_metrics_fire_only_rule_input_missing(tmp_path: Path) -> None:
    """If a rule's metrics are missing, the rule does not fire, and RuleInputMissing names the metric."""
    series = {
        name: value for place in PLACES.values() for name, value in of(place, "up", gauge((60, 1))).items()
    }
    missing = [
        {"exp_labels": {**place_of(metric), "metric": metric, **frame("RuleInputMissing")}}
        for metric in INPUTS
    ]
    test = document(Event("nothing but up", series, (9, 12, 35, 59)))
    checks = test["alert_rule_test"]
    assert isinstance(checks, list)
    for check in checks:
        if check["alertname"] == "RuleInputMissing" and check["eval_time"] != "540s":
            check["exp_alerts"] = missing
    assert run([test], [bare(rule.render()) for rule in RULES.values()], tmp_path, EVALUATED_EVERY_S) == ""


def test_each_event_has_every_metric_that_rules_read() -> None:
    """Otherwise a rule could be quiet because it has no data."""
    for event in EVENTS:
        names = {name.partition("{")[0] for name in event.series}
        assert set(INPUTS) <= names, event.name
