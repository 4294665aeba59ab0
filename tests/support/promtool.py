"""Rule tests written in Python, run by ``promtool test rules``: series over time, and when an alert fires.

Time is minutes from the start of the test. Samples come every 15 seconds, as scrapes do.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from support.debian import program
from tallow.monitoring.catalog import METRICS, PREFIX

PER_MINUTE = 4
"""Samples a minute."""
INSTANCE = "tallow.example:3000"
OLD = -7200
"""A process start two hours before the test begins."""


def gauge(*spans: tuple[float, float | None]) -> str:
    """A gauge's samples: (minutes, value) after one another; ``None`` is a time without samples."""
    return " ".join(
        f"_x{_samples(minutes)}" if value is None else f"{value:g}+0x{_samples(minutes) - 1}"
        for minutes, value in spans
    )


def counter(*spans: tuple[float, float | None], start: float = 0) -> str:
    """A counter's samples: (minutes, increase a minute); after a ``None`` it goes on where it was."""
    parts = []
    for minutes, rate in spans:
        count = _samples(minutes)
        if rate is None:
            parts.append(f"_x{count}")
            continue
        step = rate / PER_MINUTE
        parts.append(f"{start:.9g}+{step:.9g}x{count - 1}")
        start += step * count
    return " ".join(parts)


def histogram(metric: str, labels: str, edge: float, samples: str) -> dict[str, str]:
    """Series of a catalogue histogram whose every observation falls into the bucket up to ``edge``.

    ``math.inf`` is the bucket beyond the last edge.
    """
    inside = f"{labels}," if labels else ""
    edges = [*METRICS[metric].buckets, math.inf]
    assert edge in edges
    name = f"{PREFIX}{metric}"
    none = counter((180, 0))
    return {f"{name}_count{{{labels}}}": samples} | {
        f'{name}_bucket{{{inside}le="{_le(other)}"}}': samples if other >= edge else none for other in edges
    }


def _le(edge: float) -> str:
    return "+Inf" if math.isinf(edge) else repr(float(edge))


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Series of several sources; one that a selector names twice is a mistake in the test."""
    series: dict[str, str] = {}
    for part in parts:
        assert not series.keys() & part.keys(), "the same series twice"
        series.update(part)
    return series


def _samples(minutes: float) -> int:
    return round(minutes * PER_MINUTE)


@dataclass(frozen=True, slots=True)
class Case:
    """One behaviour of one alert.

    ``series`` maps selectors without job and instance to samples; both are added, and so are a working
    ``up`` and an old process start where they are not given. ``quiet`` and ``firing`` are the minutes at
    which the alert must not and must fire.
    """

    alert: str
    behaviour: str
    series: Mapping[str, str]
    quiet: Sequence[float] = ()
    firing: Sequence[float] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: {"job": "tallow", "instance": INSTANCE})

    def __str__(self) -> str:
        return f"{self.alert} {self.behaviour}"

    def document(self, rules: Sequence[Mapping[str, object]]) -> dict[str, object]:
        """The case as a ``tests`` entry; ``rules`` gives the labels that the alert must carry."""
        (rule,) = (rule for rule in rules if rule["alert"] == self.alert)
        expected: dict[str, object] = {"exp_labels": {**self.labels, **_mapping(rule["labels"])}}
        checks: list[tuple[float, list[dict[str, object]]]] = [(at, []) for at in self.quiet] + [
            (at, [expected]) for at in self.firing
        ]
        return {
            "name": str(self),
            "interval": "15s",
            "input_series": self.input_series(),
            "alert_rule_test": [
                {"eval_time": f"{round(at * 60)}s", "alertname": self.alert, "exp_alerts": alerts}
                for at, alerts in checks
            ],
        }

    def input_series(self) -> list[dict[str, str]]:
        always = {"up": gauge((180, 1)), "tallow_process_start_time_seconds": gauge((180, OLD))}
        given = {name.partition("{")[0] for name in self.series}
        series = {**{name: values for name, values in always.items() if name not in given}, **self.series}
        return [{"series": located(name), "values": values} for name, values in series.items()]


def located(selector: str, job: str = "tallow", instance: str = INSTANCE) -> str:
    """The selector with job and instance, which stay as they are where it names them itself."""
    name, _, rest = selector.partition("{")
    inner = rest.removesuffix("}")
    place = [
        f'{label}="{value}"'
        for label, value in (("job", job), ("instance", instance))
        if f'{label}="' not in inner.split(",")[0] and f',{label}="' not in f",{inner}"
    ]
    return f"{name}{{{','.join([*([inner] if inner else []), *place])}}}"


def check(cases: Sequence[Case], rule_file: Mapping[str, object], folder: Path) -> str:
    """What ``promtool test rules`` says against the cases; an empty string when all hold.

    Annotations are left out (they are tested by a test of their own), and so are the other rules.
    """
    wanted = {case.alert for case in cases}
    rules = [
        _bare(rule) for group in _groups(rule_file) for rule in group["rules"] if rule["alert"] in wanted
    ]
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "tested", "rules": rules}]}))
    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "15s",
        "tests": [case.document(rules) for case in cases],
    }
    (folder / "tests.yml").write_text(yaml.safe_dump(tests, sort_keys=False, width=4096))
    done = subprocess.run(
        [program("promtool"), "test", "rules", folder / "tests.yml"],
        capture_output=True,
        text=True,
        check=False,  # what it says is the result
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _bare(rule: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in rule.items() if key != "annotations"}


def _groups(rule_file: Mapping[str, object]) -> list[dict[str, list[dict[str, object]]]]:
    groups = rule_file["groups"]
    assert isinstance(groups, list)
    return groups


def _mapping(value: object) -> dict[str, str]:
    assert isinstance(value, dict)
    return value
