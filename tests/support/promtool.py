"""Rule tests written in Python, run by ``promtool test rules``: series over time, and when an alert fires.

Time is minutes from the start of the test. Samples come every 15 seconds, as scrapes do.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from support.debian import program
from tallow.monitoring.catalog import METRICS, PREFIX, canonical
from tallow.stack.alerts.rule import RenderedRule

PER_MINUTE = 4
"""Samples a minute."""
INSTANCE = "tallow.example:3000"
TWO_HOURS_BEFORE = -7200
"""A process start two hours before the test begins."""


def gauge(*spans: tuple[float, float | None]) -> str:
    """A gauge's samples: (minutes, value) after one another; ``None`` is a time without samples."""
    return " ".join(
        f"_x{_samples(minutes)}" if value is None else f"{value:g}+0x{_samples(minutes) - 1}"
        for minutes, value in spans
    )


def gauge_until_stale(minutes: float, value: float) -> str:
    """A gauge of a target that is taken away: Prometheus marks its series as ended."""
    return f"{gauge((minutes, value))} stale"


def counter(*spans: tuple[float, float | None], start: float = 0) -> str:
    """A counter's samples: (minutes, increase a minute); after a ``None`` it goes on where it was.

    A gauge that rises and falls, where the increase is negative.
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
    return "+Inf" if math.isinf(edge) else canonical(edge)


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Series of several sources; one that a selector names twice is a mistake in the test."""
    series: dict[str, str] = {}
    for part in parts:
        assert not series.keys() & part.keys(), "the same series twice"
        series.update(part)
    return series


def _samples(minutes: float) -> int:
    return round(minutes * PER_MINUTE)


Kind = Literal["fires", "below", "few", "enough", "start"]
"""What a case shows of its alert: that it fires at its minute and resolves, that it stays quiet just below
its threshold, that it stays quiet with just too little traffic, that it fires with just enough of it, that
it waits after a clean start. A case may show several, or something of its own."""
Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Case:
    """One behaviour of one alert.

    ``series`` maps selectors without job and instance to samples; both are added, and so are a working
    ``up`` and an old process start where they are not given. ``quiet`` and ``firing`` are the minutes at
    which the alert must not and must fire. ``stretch`` makes every time of the case that much longer, with
    as many samples: a rule over hours needs no sample every 15 seconds.
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
        """The case as a ``tests`` entry.

        ``frame`` are the labels that the rule adds; ``names`` are those of its broken copies, each of which
        is asked for the same.
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
    """The selector with job and instance, which stay as they are where it names them itself."""
    name, _, rest = selector.partition("{")
    inner = rest.removesuffix("}")
    place = [
        f'{label}="{value}"'
        for label, value in (("job", job), ("instance", instance))
        if f'{label}="' not in inner.split(",")[0] and f',{label}="' not in f",{inner}"
    ]
    return f"{name}{{{','.join([*([inner] if inner else []), *place])}}}"


def bare(rule: RenderedRule, name: str | None = None) -> Document:
    """A rule without its words, which are tested by tests of their own, under its name or another."""
    document = rule.document()
    del document["annotations"]
    return document | {"alert": name or rule.alert}


def run(tests: Sequence[Document], rules: Sequence[Document], folder: Path, every: int = 15) -> str:
    """What ``promtool test rules`` says; an empty string when every expectation holds.

    ``every`` is the evaluation interval in seconds.
    """
    (folder / "rules.yml").write_text(_yaml({"groups": [{"name": "tested", "rules": rules}]}))
    suite = {"rule_files": ["rules.yml"], "evaluation_interval": f"{every}s", "tests": list(tests)}
    (folder / "tests.yml").write_text(_yaml(suite))
    done = subprocess.run(
        [program("promtool"), "test", "rules", folder / "tests.yml"],
        capture_output=True,
        text=True,
        check=False,  # what it says is the result
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _yaml(document: object) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1 << 20)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Without references between equal lists: promtool reads them, people do not."""

    def ignore_aliases(self, data: object) -> bool:
        return True
