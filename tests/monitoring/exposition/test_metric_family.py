"""prometheus_client's metrics in our exposition: names are kept, nothing is repeated or breaks a scrape."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Exemplar

from support.programs.debian import program
from tallow.monitoring.exposition.escaping import SCHEMES, label_name
from tallow.monitoring.exposition.metric_family import FamilyWriter

FORMATS = [(False, scheme) for scheme in SCHEMES] + [(True, scheme) for scheme in SCHEMES]
OURS = "tallow_transfers_total"
formats = pytest.mark.parametrize(("openmetrics", "scheme"), FORMATS)


class Exposition:
    """The exposition of collectors in one format, and what was left out."""

    def __init__(self, openmetrics: bool, scheme: str, *collectors: Any) -> None:
        self.left_out: list[tuple[str, str]] = []
        writer = FamilyWriter(
            openmetrics=openmetrics,
            scheme=scheme,
            is_reserved=lambda name: name == OURS,
            on_omitted=lambda *what: self.left_out.append(what),
        )
        for collector in collectors:
            writer.add(collector.collect())
        self.text = b"".join(writer.pieces()).decode() + ("# EOF\n" if openmetrics else "")
        self._parse: Callable[[str], Iterator[Any]] = parse_openmetrics if openmetrics else parse_text  # type: ignore[assignment]

    def families(self) -> list[Any]:
        return list(self._parse(self.text))

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Value of each series; a series that is there twice fails the test."""
        found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        for family in self.families():
            for sample in family.samples:
                key = sample.name, tuple(sorted(sample.labels.items()))
                assert key not in found
                found[key] = sample.value
        return found


class FamilyCollector:
    """A collector of finished families."""

    def __init__(self, *families: Any) -> None:
        self._families = families

    def collect(self) -> Iterator[Any]:
        yield from self._families


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@formats
def test_a_colon_is_kept(registry: CollectorRegistry, openmetrics: bool, scheme: str) -> None:
    Gauge("my:gauge", "A gauge.", registry=registry).set(7)
    Counter("job:sales", "Sales.", ["shop"], registry=registry).labels("north").inc(3)
    Histogram("my:seconds", "Time.", buckets=(1,), registry=registry).observe(0.5)
    written = Exposition(openmetrics, scheme, registry)
    assert "\nmy:gauge 7.0\n" in written.text
    assert written.samples() == {
        ("my:gauge", ()): 7.0,
        ("job:sales_total", (("shop", "north"),)): 3.0,
        ("my:seconds_bucket", (("le", "1.0"),)): 1.0,
        ("my:seconds_bucket", (("le", "+Inf"),)): 1.0,
        ("my:seconds_count", ()): 1.0,
        ("my:seconds_sum", ()): 0.5,
    }
    assert {family.name: family.type for family in written.families()} == {
        "my:gauge": "gauge",
        "job:sales": "counter",
        "my:seconds": "histogram",
    }


@pytest.mark.parametrize("openmetrics", [False, True])
@pytest.mark.parametrize(
    ("scheme", "gauge", "counter", "bucket", "label"),
    [
        ("allow-utf-8", "shop.open", "shop.sales_total", "shop.time_s_bucket", "shop.name"),
        ("underscores", "shop_open", "shop_sales_total", "shop_time_s_bucket", "shop_name"),
        ("dots", "shop_dot_open", "shop_dot_sales__total", "shop_dot_time__s_bucket", "shop_dot_name"),
        (
            "values",
            "U__shop_2e_open",
            "U__shop_2e_sales__total",
            "U__shop_2e_time__s_bucket",
            "U__shop_2e_name",
        ),
    ],
)
def test_other_names_are_escaped_as_requested(
    registry: CollectorRegistry,
    openmetrics: bool,
    scheme: str,
    gauge: str,
    counter: str,
    bucket: str,
    label: str,
) -> None:
    Gauge("shop.open", "Open.", ["shop.name"], registry=registry).labels("nörth").set(1)
    Counter("shop.sales", "Sales.", registry=registry).inc(2)
    Histogram("shop.time_s", "Time.", buckets=(1,), registry=registry).observe(0.5)
    samples = Exposition(openmetrics, scheme, registry).samples()
    assert samples[gauge, ((label, "nörth"),)] == 1.0
    assert samples[counter, ()] == 2.0
    assert samples[bucket, (("le", "1.0"),)] == 1.0


def test_quoted_names_are_exact(registry: CollectorRegistry) -> None:
    Gauge('a "b"\\', "Odd.", ["x.y"], registry=registry).labels("v").set(1)
    Gauge("花火", "Fireworks.", registry=registry).set(2)
    assert Exposition(False, "allow-utf-8", registry).text == (
        '# HELP "a \\"b\\"\\\\" Odd.\n# TYPE "a \\"b\\"\\\\" gauge\n{"a \\"b\\"\\\\","x.y"="v"} 1.0\n'
        '# HELP "花火" Fireworks.\n# TYPE "花火" gauge\n{"花火"} 2.0\n'
    )


@formats
def test_every_type_is_parsed_back(registry: CollectorRegistry, openmetrics: bool, scheme: str) -> None:
    Info("build", "Build.", registry=registry).info({"version": "1"})
    Enum("state", "State.", states=["on", "off"], registry=registry).state("off")
    Summary("size", "Size.", registry=registry).observe(3)
    counter = Counter("made", "Made.", registry=registry)
    counter.inc(1, {"trace_id": "abc"})
    hist = GaugeHistogramMetricFamily("queue", "Queue.", buckets=[("1.0", 1), ("+Inf", 2)], gsum_value=3.5)
    written = Exposition(openmetrics, scheme, registry, FamilyCollector(hist))
    samples = written.samples()
    assert samples["build_info", (("version", "1"),)] == 1.0
    assert samples["state", (("state", "off"),)] == 1.0
    assert samples["size_sum", ()] == 3.0
    assert samples["made_total", ()] == 1.0
    assert samples["queue_bucket", (("le", "1.0"),)] == 1.0
    assert samples["queue_gsum", ()] == 3.5
    assert "_created" not in written.text
    assert (' # {trace_id="abc"} 1.0 1' in written.text) is openmetrics  # with its time


@formats
def test_families_with_the_same_escaped_name_are_merged(openmetrics: bool, scheme: str) -> None:
    first = GaugeMetricFamily("a.b", "First.", labels=["x"])
    first.add_metric(["1"], 1)
    first.add_metric(["2"], 2)
    second = GaugeMetricFamily("a_b", "Second.", labels=["x"])
    second.add_metric(["2"], 9)
    second.add_metric(["3"], 3)
    written = Exposition(openmetrics, scheme, FamilyCollector(first), FamilyCollector(second))
    if scheme != "underscores":
        assert len(written.samples()) == 4
        assert written.left_out == []
        return
    assert written.samples() == {("a_b", (("x", value),)): float(value) for value in "123"}
    assert written.text.count("# TYPE") == 1
    assert written.left_out == [("a_b", "it repeats a series")]


@formats
def test_a_family_of_another_type_is_left_out(
    registry: CollectorRegistry, openmetrics: bool, scheme: str
) -> None:
    Gauge("a_b", "A gauge.", registry=registry).set(1)
    summary = Summary("a.b", "A summary.", registry=None)
    written = Exposition(openmetrics, scheme, registry, summary)
    assert (written.left_out != []) is (scheme == "underscores")
    assert ("a_b", ()) in written.samples()


@formats
def test_a_family_of_two_collectors_is_exposed_once(openmetrics: bool, scheme: str) -> None:
    family = GaugeMetricFamily("up", "Up.", value=1)
    written = Exposition(openmetrics, scheme, FamilyCollector(family), FamilyCollector(family, family))
    assert written.samples() == {("up", ()): 1.0}
    assert written.text.count("# TYPE up gauge\n") == 1
    assert len(written.left_out) == 2


@formats
def test_a_family_whose_escaped_name_is_reserved_is_left_out(
    registry: CollectorRegistry, openmetrics: bool, scheme: str
) -> None:
    Counter("tallow.transfers", "Not ours.", registry=registry)
    written = Exposition(openmetrics, scheme, registry)
    assert ("Not ours" in written.text) is (scheme != "underscores")
    assert (written.left_out == []) is (scheme != "underscores")


def test_labels_with_the_same_escaped_name_keep_both_values() -> None:
    family = GaugeMetricFamily("g", "G.", labels=["a.b", "a_b", "a-b"])
    family.add_metric(["dot", "line", "dash"], 1)
    assert Exposition(False, "underscores", FamilyCollector(family)).text.endswith(
        'g{a_b="dash;dot;line"} 1.0\n'
    )
    assert Exposition(False, "allow-utf-8", FamilyCollector(family)).text.endswith(
        'g{"a-b"="dash","a.b"="dot",a_b="line"} 1.0\n'
    )


@formats
def test_characters_that_stop_a_parser_are_replaced(openmetrics: bool, scheme: str) -> None:
    odd = GaugeMetricFamily("odd", "Zero \0 and half \ud800.", labels=["x", "__name__", ""])
    odd.add_metric(["zero \0 and half \ud800 and\nline", "evil", "none"], 1)
    numbers = GaugeMetricFamily("numbers", "N.", labels=["n"])
    for value in (float("nan"), float("inf"), float("-inf"), 2**70, True):
        numbers.add_metric([str(value)], value)
    unit = Metric("speed", "S.", "gauge", "")
    unit.unit = "furlongs"
    unit.add_sample("speed", {}, 1)
    written = Exposition(openmetrics, scheme, FamilyCollector(odd, numbers, unit))
    assert "\0" not in written.text
    assert "# UNIT" not in written.text  # the name does not end in the unit
    assert len(written.samples()) == 7
    assert 'odd{x="zero \N{REPLACEMENT CHARACTER} and half ? and\\nline"} 1.0\n' in written.text


def test_a_label_never_becomes_the_metric_name() -> None:
    family = GaugeMetricFamily("g", "G.", labels=["é_name__", "x"])
    family.add_metric(["evil", "y"], 1)
    assert Exposition(False, "underscores", FamilyCollector(family)).text.endswith('\ng{x="y"} 1.0\n')


@pytest.mark.parametrize("openmetrics", [False, True])
def test_a_unit_that_ends_the_name_is_kept(registry: CollectorRegistry, openmetrics: bool) -> None:
    Gauge("wait", "Wait.", unit="seconds", registry=registry)
    text = Exposition(openmetrics, "underscores", registry).text
    assert ("# UNIT wait_seconds seconds\n" in text) is openmetrics


def test_exemplars_are_exposed_only_where_the_format_allows_them() -> None:
    family = Metric("g", "G.", "gauge", "")
    family.add_sample("g", {}, 1, exemplar=Exemplar({"trace_id": "x"}, 1.0, 2.0))
    assert Exposition(True, "underscores", FamilyCollector(family)).text.endswith("\ng 1.0\n# EOF\n")


names = st.text(min_size=1, max_size=8) | st.from_regex(r"[a-z][a-z._:]{0,5}", fullmatch=True)
# Its parser takes no label that begins with two underscores; Prometheus takes any but __name__.
labels = st.dictionaries(
    names.filter(lambda name: not any(label_name(name, scheme).startswith("__") for scheme in SCHEMES)),
    st.text(max_size=6),
    max_size=3,
)


@pytest.mark.slow
@settings(max_examples=200)
@given(st.lists(st.tuples(names, labels, st.floats()), max_size=6), st.sampled_from(FORMATS))
def test_the_reference_parser_reads_each_series_once(
    given_samples: list[tuple[str, dict[str, str], float]], written_as: tuple[bool, str]
) -> None:
    families = []
    for name, values, value in given_samples:
        family = Metric(name, "Any.", "gauge", "")
        family.add_sample(name, values, value)
        families.append(family)
    written = Exposition(*written_as, FamilyCollector(*families))
    # The reference parser splits at every line end of Python; Prometheus and the formats only at \n.
    if re.search(r"[\v\f\r\x1c-\x1e\x85\u2028\u2029]", written.text):
        return
    assert len(written.samples()) + len(written.left_out) == len(given_samples)


@pytest.mark.integration
@settings(max_examples=20)
@given(st.lists(st.tuples(names, labels, st.floats()), max_size=6))
def test_prometheus_reads_any_names(given_samples: list[tuple[str, dict[str, str], float]]) -> None:
    families = []
    for name, values, value in given_samples:
        family = Metric(name, "Any.", "gauge", "")
        family.add_sample(name, values, value)
        families.append(family)
    for scheme in ("underscores", "dots", "values"):  # Debian's Prometheus 2.42 knows no quoted names
        written = Exposition(False, scheme, FamilyCollector(*families))
        checked = subprocess.run(
            [program("promtool"), "check", "metrics"],
            input=written.text.encode(),
            capture_output=True,
            check=False,
        )
        assert checked.returncode in (0, 3), (checked.stderr, written.text)  # 3: naming conventions
