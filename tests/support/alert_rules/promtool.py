"""Rule tests in Python, run by ``promtool test rules``: input series and the minutes at which alerts fire.

Times are in minutes from the start of the test. Samples are 15 seconds apart, the scrape interval.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from support.programs.debian import program
from tallow.monitoring.catalog import METRICS, PREFIX, canonical
from tallow.stack.alerts.rule import RenderedRule

PER_MINUTE = 4
"""Samples per minute."""
INSTANCE = "tallow.example:3000"
TWO_HOURS_BEFORE = -7200
"""A process start time, in seconds from the start of the test."""


def gauge(*spans: tuple[float, float | None]) -> str:
    """A gauge's samples from consecutive (minutes, value) spans; ``None`` is a span without samples."""
    return " ".join(
        f"_x{_samples(minutes)}" if value is None else f"{value:g}+0x{_samples(minutes) - 1}"
        for minutes, value in spans
    )


def gauge_until_stale(minutes: float, value: float) -> str:
    """A gauge of a target that is removed: Prometheus marks the series as stale."""
    return f"{gauge((minutes, value))} stale"


def counter(*spans: tuple[float, float | None], start: float = 0) -> str:
    """A counter's samples from consecutive (minutes, increase per minute) spans.

    ``None`` is a span without samples; the counter continues from its last value. With negative increases
    the result is a gauge.
    """
    parts = []
    for minutes, rate in spans:
        count = _samples(minutes)
        if rate is None:
            parts.append(f"_x{count}")
            continue
        step = rate / PER_MINUTE
        parts.append(f"{start:.9g}{step:+.9g}x{count - 1}")
        start += step * count
    return " ".join(parts)


def histogram(metric: str, labels: str, edge: float, samples: str) -> dict[str, str]:
    """Series of a catalogue histogram with all observations in the bucket with the upper bound ``edge``.

    ``math.inf`` is the bucket above the last bound.
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
    return "+Inf" if math.isinf(edge) else canonical(edge)


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Merge mappings of series. A series that is given twice is an error in the test."""
    series: dict[str, str] = {}
    for part in parts:
        assert not series.keys() & part.keys(), "a series is given twice"
        series.update(part)
    return series


def _samples(minutes: float) -> int:
    return round(minutes * PER_MINUTE)


Kind = Literal["fires", "below", "few", "enough", "start"]
"""What a case tests: ``fires`` (at the expected minute, then resolves), ``below`` (quiet just below the
threshold), ``few`` (quiet with too little traffic), ``enough`` (fires with just enough traffic), ``start``
(waits after a start of the process). A case can test several of them, or something else."""
Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Case:
    """A test of one behaviour of one alert.

    Attributes:
        series: samples by selector. Job and instance are added where the selector does not name them; a
            healthy ``up`` and a process start two hours ago are added where they are not given.
        quiet: minutes at which the alert must not fire.
        firing: minutes at which the alert must fire.
        stretch: factor for all times of the case, with the same number of samples. Rules with ranges of
            hours need no sample every 15 seconds.
    """

    alert: str
    behaviour: str
    series: Mapping[str, str]
    quiet: Sequence[float] = ()
    firing: Sequence[float] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: {"job": "tallow", "instance": INSTANCE})
    kinds: tuple[Kind, ...] = ()
    stretch: int = 1

    def __str__(self) -> str:
        return f"{self.alert} {self.behaviour}"

    def document(self, frame: Mapping[str, str], names: Sequence[str] = ()) -> Document:
        """The case as an entry of ``tests``.

        Args:
            frame: labels that the rule adds.
            names: alert names of the rule's mutants; each is expected to behave like the rule.
        """
        expected = [{"exp_labels": {**self.labels, **frame}}]
        checks: list[tuple[float, list[dict[str, dict[str, str]]]]] = [
            *((at, []) for at in self.quiet),
            *((at, expected) for at in self.firing),
        ]
        return {
            "name": str(self),
            "interval": f"{15 * self.stretch}s",
            "input_series": self.input_series(),
            "alert_rule_test": [
                {"eval_time": f"{round(at * 60 * self.stretch)}s", "alertname": name, "exp_alerts": alerts}
                for at, alerts in sorted(checks, key=lambda check: check[0])
                for name in names or [self.alert]
            ],
        }

    def input_series(self) -> list[dict[str, str]]:
        always = {"up": gauge((180, 1)), "tallow_process_start_time_seconds": gauge((180, TWO_HOURS_BEFORE))}
        given = {name.partition("{")[0] for name in self.series}
        series = {**{name: values for name, values in always.items() if name not in given}, **self.series}
        return [{"series": located(name), "values": values} for name, values in series.items()]


def located(selector: str, job: str = "tallow", instance: str = INSTANCE) -> str:
    """The selector with the labels job and instance, unless it names them itself."""
    name, _, rest = selector.partition("{")
    inner = rest.removesuffix("}")
    place = [
        f'{label}="{value}"'
        for label, value in (("job", job), ("instance", instance))
        if f'{label}="' not in inner.split(",")[0] and f',{label}="' not in f",{inner}"
    ]
    return f"{name}{{{','.join([*([inner] if inner else []), *place])}}}"


def bare(rule: RenderedRule, name: str | None = None) -> Document:
    """A rule without annotations, which other tests cover, under its own or another name."""
    document = rule.document()
    del document["annotations"]
    alert = name or rule.alert
    # A rule that reads its own state does so under the name that it is tested with.
    expr = rule.expr.replace(f'alertname="{rule.alert}"', f'alertname="{alert}"')
    return document | {"alert": alert, "expr": expr}


def run(tests: Sequence[Document], rules: Sequence[Document], folder: Path, every: int = 15) -> str:
    """The output of ``promtool test rules``; empty if every expectation holds.

    ``every`` is the evaluation interval in seconds.
    """
    (folder / "rules.yml").write_text(_yaml({"groups": [{"name": "tested", "rules": rules}]}))
    suite = {"rule_files": ["rules.yml"], "evaluation_interval": f"{every}s", "tests": list(tests)}
    (folder / "tests.yml").write_text(_yaml(suite))
    done = subprocess.run(
        [program("promtool"), "test", "rules", folder / "tests.yml"],
        capture_output=True,
        text=True,
        check=False,  # the output is the result
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _yaml(document: object) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1 << 20)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes no YAML anchors and aliases, which are hard to read."""

    def ignore_aliases(self, data: object) -> bool:
        return True
