"""The same calls of a declared metric and of prometheus_client's metric expose the same samples."""

from __future__ import annotations

from typing import Any

import prometheus_client
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tallow.monitoring import metrics
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics import Registry

KINDS = ("Counter", "Gauge", "Histogram")
OPERATIONS = {"Counter": ("inc",), "Gauge": ("inc", "dec", "set"), "Histogram": ("observe",)}
VALUES = ("a", 'b"\\\n', "é")
LABELS: dict[str, tuple[str, ...]] = {"one": VALUES, "two": ("x", "y")}

numbers = st.integers(0, 2**40) | st.floats(0, 1e15) | st.sampled_from([0, 0.1, 0.25, 1, 2.5, 10])
calls = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 2),  # the number of labels
    st.integers(0, 9),  # the method
    st.none() | numbers,
    st.sampled_from(VALUES),
    st.sampled_from(("x", "y")),
    st.sampled_from(["keywords", "child", "positional"]),
)


class Both:
    """Metrics of either library in a registry of their own."""

    def __init__(self) -> None:
        self.ours, self.theirs = Registry([], namespace=""), prometheus_client.CollectorRegistry()
        self._pairs: dict[tuple[str, int], tuple[Any, Any]] = {}
        for kind in KINDS:
            for width in range(3):
                self._declare(kind, width)

    def _declare(self, kind: str, width: int) -> None:
        name, labels = f"{kind.lower()}_{width}", dict(list(LABELS.items())[:width])
        own = getattr(metrics, kind)(name, "Help.", labels, "shop", registry=self.ours)
        peer = getattr(prometheus_client, kind)(name, "Help.", list(labels), "shop", registry=self.theirs)
        for one in VALUES if width else ():
            for two in ("x", "y") if width == 2 else ("",):
                peer.labels(*(one, two)[:width])
        self._pairs[kind, width] = own, peer

    def apply(self, call: tuple[str, int, int, float | None, str, str, str]) -> None:
        kind, width, method, number, one, two, form = call
        own, peer = self._pairs[kind, width]
        names = OPERATIONS[kind]
        name = names[method % len(names)]
        labels = dict(list({"one": one, "two": two}.items())[:width])
        if number is None and name in {"set", "observe"}:
            number = 1.5
        amounts = () if number is None else (number,)
        child = peer.labels(**labels) if labels else peer
        getattr(child, name)(*amounts)
        if form == "keywords" or not labels:
            getattr(own, name)(*amounts, **labels)
        else:
            bound = own.labels(**labels) if form == "child" else own.labels(*labels.values())
            getattr(bound, name)(*amounts)


def read(families: Any) -> dict[Any, Any]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def assert_close(ours: dict[Any, float], theirs: dict[Any, float]) -> None:
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert abs(ours[key] - value) <= 1e-9 * max(1.0, abs(value)), key


@settings(max_examples=20)
@given(st.lists(calls, max_size=40))
def test_the_samples_agree_in_both_formats(made: list[Any]) -> None:
    both = Both()
    for call in made:
        both.apply(call)
    assert_close(
        read(parse_text(expose(both.ours).decode())),
        read(parse_text(prometheus_client.generate_latest(both.theirs).decode())),
    )
    assert_close(
        read(parse_openmetrics(expose(both.ours, openmetrics=True).decode())),  # type: ignore[no-untyped-call]
        read(parse_openmetrics(openmetrics_latest(both.theirs).decode())),  # type: ignore[no-untyped-call]
    )
