"""Simulates a step change of a server's metrics with promtool and reports which alerts fire."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from support.alert_rules.promtool import INSTANCE, PER_MINUTE, TWO_HOURS_BEFORE
from support.programs.debian import program
from tallow.stack.alerts import GROUPS, rule_document

BEFORE_MINUTES, AFTER_MINUTES = 20, 40
CHECKED_MINUTES = range(BEFORE_MINUTES, BEFORE_MINUTES + AFTER_MINUTES)
ALWAYS = {"Watchdog"}
OTHER_TARGETS = {"TargetMissing"}
"""Alerts about the stack's other programs, whose series are not simulated."""
_REPLACED = {"tallow_process_start_time_seconds": TWO_HOURS_BEFORE}


def firing_alerts(before: str, after: str, folder: Path) -> set[str]:
    """The alerts that fire when the exposition of a server changes from ``before`` to ``after``.

    The server has been up for two hours; the change happens between two scrapes and lasts. ``Watchdog``,
    which always fires, is left out, and so are the alerts about other programs.
    """
    alerts = {rule["alert"] for group in _groups() for rule in group["rules"]} - ALWAYS - OTHER_TARGETS
    document = {
        "rule_files": [_rules(folder)],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": _series(before, after),
                "alert_rule_test": _no_alert_expected(alerts),
            }
        ],
    }
    (folder / "burst.yml").write_text(yaml.safe_dump(document, width=4096))
    done = subprocess.run(
        [program("promtool"), "test", "rules", folder / "burst.yml"],
        capture_output=True,
        text=True,
        check=False,  # the output is the result
    )
    names = set(re.findall(r"alertname: ?(\w+)", done.stdout + done.stderr))
    assert bool(names) == bool(done.returncode), done.stdout + done.stderr
    return names


def _rules(folder: Path) -> str:
    without_annotations = [
        {
            "name": group["name"],
            "rules": [{k: v for k, v in rule.items() if k != "annotations"} for rule in group["rules"]],
        }
        for group in _groups()
    ]
    (folder / "all-rules.yml").write_text(yaml.safe_dump({"groups": without_annotations}))
    return "all-rules.yml"


def _groups() -> list[dict[str, list[dict[str, object]]]]:
    groups = rule_document(GROUPS)["groups"]
    assert isinstance(groups, list)
    return groups


def _no_alert_expected(alerts: set[object]) -> list[dict[str, object]]:
    return [
        {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": []}
        for alert in sorted(map(str, alerts))
        for minute in CHECKED_MINUTES
    ]


def _series(before: str, after: str) -> list[dict[str, str]]:
    old, new = _samples(before), _samples(after)
    steps = [
        {
            "series": name,
            "values": f"{old.get(name, value):.12g}+0x{BEFORE_MINUTES * PER_MINUTE - 1} "
            f"{value:.12g}+0x{AFTER_MINUTES * PER_MINUTE - 1}",
        }
        for name, value in new.items()
    ]
    up = f"1+0x{(BEFORE_MINUTES + AFTER_MINUTES) * PER_MINUTE}"
    return [{"series": f'up{{job="tallow",instance="{INSTANCE}"}}', "values": up}, *steps]


def _samples(exposition: str) -> dict[str, float]:
    samples = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            labels = {**sample.labels, "job": "tallow", "instance": INSTANCE}
            inner = ",".join(f'{name}="{value}"' for name, value in labels.items())
            samples[f"{sample.name}{{{inner}}}"] = _REPLACED.get(sample.name, sample.value)
    return samples
