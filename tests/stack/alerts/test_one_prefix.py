"""One address prefix cannot fire an alert; three honest ones with the real fault do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from stack.alerts.contract import frame
from stack.alerts.strangers import (
    ABUSE,
    CONCERNED,
    DAY_MINUTES,
    EXISTENCE,
    HOURS,
    OPERATORS,
    SERVER_SEEN,
    STEP_S,
    THREE,
    failing,
    nuisance,
    read_by,
    server,
    slow,
)
from support.alert_rules.promtool import INSTANCE, Document, bare, located, merged, run
from tallow.app.wire import REPORTED_METRICS
from tallow.stack.alerts import RULES

pytestmark = pytest.mark.slow

EVALUATED_EVERY_S = 60
JOB_ONLY = {name for name, rule in RULES.items() if rule.group_labels == ("job",)}


def document(series: Mapping[str, str], checks: list[Document]) -> Document:
    return {
        "interval": f"{STEP_S}s",
        "input_series": [{"series": located(name), "values": values} for name, values in series.items()],
        "alert_rule_test": checks,
    }


def expected(alert: str, minute: float, *, fires: bool) -> Document:
    place = {"job": "tallow"} if alert in JOB_ONLY else {"job": "tallow", "instance": INSTANCE}
    alerts = [{"exp_labels": {**place, **frame(alert)}}] if fires else []
    return {"eval_time": f"{round(minute * 60)}s", "alertname": alert, "exp_alerts": alerts}


@pytest.mark.parametrize("fault", [failing(1), slow(1)], ids=["failures", "slow events"])
def test_one_prefix_at_its_quotas_for_a_day_fires_nothing(fault: dict[str, str], tmp_path: Path) -> None:
    """Checked every seven minutes, which meets every phase of the quotas' ten."""
    rules = [name for name in CONCERNED if RULES[name].severity != "info"]
    checks = [
        expected(name, minute, fires=False) for minute in range(21, DAY_MINUTES - 10, 7) for name in rules
    ]
    test = document(merged(fault, nuisance(), server()), checks)
    assert run([test], [bare(RULES[name].render()) for name in rules], tmp_path, 2 * EVALUATED_EVERY_S) == ""


@pytest.mark.parametrize("alert", sorted(THREE))
def test_three_honest_prefixes_with_the_fault_fire_it(alert: str, tmp_path: Path) -> None:
    test = document(merged(THREE[alert], server()), [expected(alert, HOURS * 60 - 3, fires=True)])
    assert run([test], [bare(RULES[alert].render())], tmp_path, EVALUATED_EVERY_S) == ""


def test_each_rule_that_strangers_could_fire_has_a_case() -> None:
    """A new rule over a metric that strangers move needs its fault in ``THREE``."""
    assert set(THREE) == set(CONCERNED)
    assert {"HighTransferFailureRate", "LowCacheHitRate", "TransferQueueBacklog"} <= set(CONCERNED)


def test_each_metric_that_a_rule_reads_is_known_to_be_movable_or_not() -> None:
    """A new metric in a rule has to be put on one of the two lists, or is reported by peers."""
    read = {metric for name, rule in RULES.items() if name != EXISTENCE for metric in read_by(rule)}
    assert read <= REPORTED_METRICS.keys() | SERVER_SEEN.keys() | OPERATORS.keys()
    assert not (SERVER_SEEN.keys() | OPERATORS.keys()) & REPORTED_METRICS.keys()
    assert SERVER_SEEN.keys() | OPERATORS.keys() <= read


@pytest.mark.parametrize("alert", sorted(ABUSE))
def test_an_abuse_alert_never_pages(alert: str) -> None:
    assert RULES[alert].severity == "warning"


@pytest.mark.parametrize("alert", sorted(ABUSE))
def test_one_prefix_fires_an_abuse_alert(alert: str, tmp_path: Path) -> None:
    test = document(merged(nuisance(), server()), [expected(alert, 60, fires=True)])
    assert run([test], [bare(RULES[alert].render())], tmp_path, EVALUATED_EVERY_S) == ""
