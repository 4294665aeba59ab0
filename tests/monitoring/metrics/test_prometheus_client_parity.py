"""The same updates of prometheus_client and of this library give the same samples."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import prometheus_client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from support.programs.debian import program
from tallow.monitoring.catalog import Label, Metric
from tallow.monitoring.correlation import bind
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics.registry import Registry

pytestmark = pytest.mark.slow

Update = tuple[str, tuple[str, ...], float, str | None]
"""A metric, label values, a number, and the current correlation id."""
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]

words = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from('"\\\n#{},= '),
    max_size=12,
)
# prometheus_client compares an integer with an edge before it rounds it to a float, we round first: only
# integers that are floats agree.
numbers = (
    st.floats(0, 2.0**63)
    | st.integers(0, 2**63).map(lambda number: int(float(number)))
    | st.sampled_from([0, -0.0, 5e-324, 2.2250738585072014e-308, 0.1 + 0.2, 1e16, 2**53, 2.0**63])
)
edges = st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=6, unique=True).map(
    lambda found: tuple(sorted(found))
)
ids = st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True)


@st.composite
def metrics(draw: st.DrawFn) -> tuple[list[Metric], list[Update]]:
    """Draw up to five metrics, and updates of their series."""
    declared, updates = [], []
    for name in draw(st.lists(words, min_size=1, max_size=5, unique=True)):
        kind: Literal["counter", "gauge", "histogram"] = draw(
            st.sampled_from(["counter", "gauge", "histogram"])
        )
        labels = draw(st.lists(words.filter(lambda word: word != "le"), max_size=2, unique=True))
        values = [draw(st.lists(texts, min_size=1, max_size=3, unique=True)) for _ in labels]
        full = f"{name}_total" if kind == "counter" else name
        declared.append(
            Metric(
                full,
                kind,
                draw(texts.filter(bool)),
                tuple(Label(label, tuple(listed)) for label, listed in zip(labels, values, strict=True)),
                draw(edges) if kind == "histogram" else (),
            )
        )
        series = st.tuples(*(st.sampled_from(listed) for listed in values))
        updates += draw(st.lists(st.tuples(st.just(full), series, numbers, ids), max_size=10))
    return declared, updates


def ours(declared: list[Metric], updates: Iterable[Update]) -> Registry:
    registry = Registry(declared, namespace="tallow")
    record: dict[str, Callable[..., None]] = {
        "counter": registry.add,
        "gauge": registry.set,
        "histogram": registry.observe,
    }
    for name, values, number, current in updates:
        family = registry.families[name]
        with bind(current) if current else nullcontext():
            record[family.metric.kind](family, values[0] if len(values) == 1 else values, number)
    return registry


def theirs(declared: list[Metric], updates: Iterable[Update]) -> prometheus_client.CollectorRegistry:
    registry = prometheus_client.CollectorRegistry()
    kinds: dict[str, Any] = {
        "counter": (prometheus_client.Counter, "inc"),
        "gauge": (prometheus_client.Gauge, "set"),
        "histogram": (prometheus_client.Histogram, "observe"),
    }
    made: dict[str, Any] = {}
    for metric in declared:
        options = {"buckets": metric.buckets} if metric.kind == "histogram" else {}
        make = kinds[metric.kind][0]
        made[metric.name] = make(
            metric.full_name, metric.help, metric.label_names, registry=registry, **options
        )
        for values in combinations(metric):
            if values:
                made[metric.name].labels(*values)
    by_name = {metric.name: metric for metric in declared}
    for name, values, number, current in updates:
        child = made[name].labels(*values) if values else made[name]
        update = getattr(child, kinds[by_name[name].kind][1])
        if current and by_name[name].kind == "histogram":
            update(number, {"correlation_id": current})
        else:
            update(number)
    return registry


def combinations(metric: Metric) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for label in metric.labels:
        found = [(*values, value) for values in found for value in label.values]
    return found


def read(families: Iterable[Any]) -> tuple[dict[str, tuple[str, str]], Samples]:
    """Return type and help of each family, and all samples except creation times."""
    described, samples = {}, {}
    for family in families:
        if not family.name.endswith("_created"):
            described[family.name] = (family.type, family.documentation)
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                samples[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return described, samples


def assert_same(one: Samples, other: Samples) -> None:
    assert one == other  # exactly: both add in the order of the updates


def exemplars(families: Iterable[Any]) -> dict[Any, Any]:
    """Return labels and value of each exemplar, by sample."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): (sample.exemplar.labels, sample.exemplar.value)
        for family in families
        for sample in family.samples
        if sample.exemplar
    }


@settings(max_examples=50)
@given(metrics())
def test_the_text_format_agrees(drawn: tuple[list[Metric], list[Update]]) -> None:
    described, samples = read(parse_text(expose(ours(*drawn)).decode()))
    expected, wanted = read(parse_text(prometheus_client.generate_latest(theirs(*drawn)).decode()))
    assert described == expected
    assert_same(samples, wanted)


@settings(max_examples=50)
@given(metrics())
def test_openmetrics_agrees(drawn: tuple[list[Metric], list[Update]]) -> None:
    mine = expose(ours(*drawn), openmetrics=True).decode()
    described, samples = read(parse_openmetrics(mine))  # type: ignore[no-untyped-call]
    peer = openmetrics_latest(theirs(*drawn)).decode()  # type: ignore[no-untyped-call]
    expected, wanted = read(parse_openmetrics(peer))  # type: ignore[no-untyped-call]
    assert described == expected
    assert_same(samples, wanted)
    assert exemplars(parse_openmetrics(mine)) == exemplars(parse_openmetrics(peer))  # type: ignore[no-untyped-call]


@pytest.mark.integration
@settings(max_examples=15)
@given(metrics())
def test_prometheus_reads_both_formats(drawn: tuple[list[Metric], list[Update]]) -> None:
    registry = ours(*drawn)
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=expose(registry), capture_output=True, check=False
    )
    # 3 means a naming convention (the names are random words), 1 that they cannot be read.
    assert checked.returncode in (0, 3), checked.stderr
    written = AFTER_VALUE.sub(r"\1 1700000000", expose(registry, openmetrics=True).decode())
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "history.om"
        source.write_text(written, encoding="utf-8", newline="\n")
        read_by_prometheus = subprocess.run(
            [
                program("promtool"),
                "tsdb",
                "create-blocks-from",
                "openmetrics",
                source,
                Path(folder) / "blocks",
            ],
            capture_output=True,
            check=False,
        )
        assert read_by_prometheus.returncode == 0, (read_by_prometheus.stderr, written)


AFTER_VALUE = re.compile(r'^(\w+(?:{(?:\w+="(?:\\.|[^"\\])*",?)*})? \S+)', re.MULTILINE)
"""A sample up to its timestamp, which promtool requires."""
