"""When RuleInputMissing fires, and when not."""

from __future__ import annotations

from stack.alerts.cases.self_monitoring.programs import ALERTMANAGER, NODE, PROMETHEUS, TALLOW, of
from support.alert_rules.promtool import Case, gauge, gauge_until_stale
from tallow.stack.alerts import RULES

MEMORY = "tallow_process_resident_memory_bytes"
INPUTS = {
    line.split('"')[3]: line
    for line in RULES["RuleInputMissing"].expr.splitlines()
    if line.strip().startswith('"metric"')
}
"""The metrics whose absence the rule reports."""
PLACES = {
    "tallow": TALLOW,
    "alertmanager": ALERTMANAGER,
    "prometheus": PROMETHEUS,
    "node": NODE,
}


def place_of(metric: str) -> dict[str, str]:
    return PLACES[metric.partition("_")[0]]


def exposed(*missing: str) -> dict[str, str]:
    """Every metric that rules read, except those ``missing``, from targets that are up."""
    ups = {key: value for place in PLACES.values() for key, value in of(place, "up", gauge((60, 1))).items()}
    metrics = [metric for metric in INPUTS if metric not in missing]
    return {
        **ups,
        **{key: value for name in metrics for key, value in of(place_of(name), name, gauge((60, 1))).items()},
    }


def _disappears(metric: str) -> Case:
    """A metric that is missing for a while and then returns."""
    samples = f"{gauge_until_stale(2, 1)} {gauge((11.75, None), (10, 1))}"
    return Case(
        "RuleInputMissing",
        f"fires when {metric} has been missing for ten minutes although the scrape works, and resolves",
        exposed(metric) | of(place_of(metric), metric, samples),
        quiet=(1.5, 11.5, 14.5),
        firing=(12.75, 13.5),
        labels={**place_of(metric), "metric": metric},
        kinds=("fires",),
    )


CASES = [
    *(_disappears(metric) for metric in INPUTS),
    Case(
        "RuleInputMissing",
        "stays quiet when every metric is there",
        exposed(),
        quiet=(10.5, 20),
        kinds=("below",),
    ),
    Case(
        "RuleInputMissing",
        "leaves a target whose scrape fails to the rules about that",
        {key: gauge((60, 0)) for place in PLACES.values() for key in of(place, "up", "")}
        | {"tallow_process_start_time_seconds": gauge((60, None))},
        quiet=(10.5, 20),
    ),
    Case(
        "RuleInputMissing",
        "notices it on one instance although another has the metric",
        exposed()
        | {'up{instance="other:3000"}': gauge((60, 1))}
        | {
            key: value
            for metric in INPUTS
            if metric.startswith("tallow_") and metric != MEMORY
            for key, value in {f'{metric}{{instance="other:3000"}}': gauge((60, 1))}.items()
        },
        quiet=(9,),
        firing=(10.75, 20),
        labels={"job": "tallow", "instance": "other:3000", "metric": MEMORY},
    ),
]
