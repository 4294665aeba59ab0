"""TargetMissing holds until a listed target is back or is taken off the list of its deployment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from stack.alerts.contract import frame
from support.alert_rules.promtool import Document, bare, gauge, run
from tallow.stack.alerts import Target, watching
from tallow.stack.alerts.rule import Rule
from tallow.stack.alerts.self_monitoring.targets import target_missing
from tallow.stack.lint import check_alert

pytestmark = pytest.mark.slow

A, B = Target("tallow", "a:3000"), Target("tallow", "b:3000")
REPLICAS = 'kube_deployment_spec_replicas{deployment="tallow"}'
DAY = 1440


def up(instance: str, samples: str, job: str = "tallow") -> dict[str, str]:
    return {f'up{{job="{job}",instance="{instance}"}}': samples}


def check(
    rule: Rule,
    series: Mapping[str, str],
    folder: Path,
    *,
    quiet: tuple[float, ...] = (),
    firing: Mapping[float, dict[str, str]] | None = None,
) -> str:
    expected: list[tuple[float, list[Document]]] = [(minute, []) for minute in quiet]
    expected += [
        (minute, [{"exp_labels": {**labels, **frame("TargetMissing")}}])
        for minute, labels in (firing or {}).items()
    ]
    test: Document = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": f"{round(minute * 60)}s", "alertname": "TargetMissing", "exp_alerts": alerts}
            for minute, alerts in expected
        ],
    }
    return run([test], [bare(rule.render())], folder, 60)


def until(minute: int, then: str = "") -> str:
    """A target that is scraped up to a minute and then has no series."""
    return f"1x{minute} stale {then}".strip()


def test_one_of_two_instances_that_vanishes_is_reported_for_a_day(tmp_path: Path) -> None:
    """Until it is back."""
    series = up("a:3000", f"1x{2 * DAY}") | up("b:3000", until(60, f"_x{DAY} 1x60"))
    gone = {"job": "tallow", "instance": "b:3000"}
    firing = {float(minute): gone for minute in (72, 91, 200, 720, DAY + 60)}
    assert check(target_missing([A, B]), series, tmp_path, quiet=(60, 70, DAY + 64), firing=firing) == ""


def test_an_instance_that_is_off_the_list_is_no_fault(tmp_path: Path) -> None:
    series = up("a:3000", f"1x{DAY}") | up("b:3000", until(60))
    assert check(target_missing([A]), series, tmp_path, quiet=(60, 72, 200, 720)) == ""


def test_a_failing_scrape_of_tallow_is_left_to_service_down(tmp_path: Path) -> None:
    series = up("a:3000", "1x20 0x100") | up("b:3000", "1x120")
    assert check(target_missing([A, B]), series, tmp_path, quiet=(31, 60, 119)) == ""


@pytest.mark.parametrize(
    ("pods", "replicas", "fires"), [(3, 3, False), (2, 3, True), (2, 2, False), (3, 2, False)]
)
def test_a_cluster_compares_its_instances_with_the_wanted_replicas(
    pods: int, replicas: int, fires: bool, tmp_path: Path
) -> None:
    rule = target_missing([], desired_replicas=REPLICAS)
    series = {
        name: value for number in range(pods) for name, value in up(f"10.0.0.{number}:3000", "1x120").items()
    }
    series |= {'kube_deployment_spec_replicas{deployment="tallow"}': f"{replicas}x120"}
    series |= {'kube_deployment_spec_replicas{deployment="other"}': "9x120"}
    firing = {minute: {"job": "tallow"} for minute in (11.0, 60.0)} if fires else {}
    assert check(rule, series, tmp_path, quiet=(9,) if fires else (9, 11, 60), firing=firing) == ""


def test_a_scale_down_is_no_fault(tmp_path: Path) -> None:
    """The pod ends after the number of wanted replicas fell."""
    rule = target_missing([], desired_replicas=REPLICAS)
    series = up("10.0.0.1:3000", "1x180") | up("10.0.0.2:3000", until(61))
    series |= {'kube_deployment_spec_replicas{deployment="tallow"}': "2x60 1x120"}
    assert check(rule, series, tmp_path, quiet=(60, 62, 75, 120, 179)) == ""


def test_a_pod_that_is_replaced_slowly_is_reported(tmp_path: Path) -> None:
    rule = target_missing([], desired_replicas=REPLICAS)
    series = up("10.0.0.1:3000", "1x180") | up("10.0.0.2:3000", until(60)) | up("10.0.0.3:3000", "_x90 1x90")
    series |= {'kube_deployment_spec_replicas{deployment="tallow"}': "2x180"}
    firing = {minute: {"job": "tallow"} for minute in (72.0, 89.0)}
    assert check(rule, series, tmp_path, quiet=(60, 69, 92), firing=firing) == ""


@pytest.mark.parametrize(
    "instance", ["[2001:db8::1]:3000", 'a"b:1', "back\\slash:1", "$window:1", "löwe.example:3000"]
)
def test_any_address_can_be_listed(instance: str, tmp_path: Path) -> None:
    rule = target_missing([Target("further", instance)])
    assert (
        check(
            rule,
            up("a:3000", gauge((60, 1))),
            tmp_path,
            firing={12.0: {"job": "further", "instance": instance}},
        )
        == ""
    )


def test_the_rule_of_a_deployment_passes_the_linter() -> None:
    (rule,) = [
        rule
        for rule in watching([A, B], desired_replicas=REPLICAS)["tallow_monitoring"]
        if rule.name == "TargetMissing"
    ]
    assert [problem for problem in check_alert(rule) if problem.rule != "catalog/metric"] == []
