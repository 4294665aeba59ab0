"""Hostile arguments: methods return, series stay bounded, the exposition stays valid."""

from __future__ import annotations

import inspect
import random
import string
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

import pytest
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as parse_text

from support.registries import tallow_registry
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

pytestmark = pytest.mark.slow


class RaisingValue:
    """Every special method raises."""

    def _raise(self, *args: object) -> Any:
        raise RuntimeError("no")

    __str__ = __repr__ = __bool__ = __int__ = __float__ = __index__ = __hash__ = _raise
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __format__ = _raise


class MisleadingValue:
    """Equals any number and any text, but is neither."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __le__(self, other: object) -> bool:
        return True

    __lt__ = __ge__ = __gt__ = __le__

    def __add__(self, other: object) -> Any:
        return self

    __radd__ = __add__

    def __float__(self) -> float:
        return float("nan")

    def __repr__(self) -> str:
        return 'x"} 1\ninjected 1'


class ScalarValue(float):
    """A float with another ``repr``, as NumPy's scalars."""

    def __add__(self, other: object) -> Any:
        return ScalarValue(float(self) + float(other))  # type: ignore[arg-type]

    __radd__ = __add__

    def __repr__(self) -> str:
        return "np.float64(1.5)"


class RaisingText(str):
    """RaisingText whose methods raise."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no")

    def replace(self, *args: object, **kwargs: object) -> str:
        raise RuntimeError("no")


class EnumMember(StrEnum):
    SENT = "sent"
    ROOMS = "rooms"


def hostile(source: random.Random) -> object:
    text = "".join(source.choices(string.printable, k=source.randrange(40)))
    odd: list[Callable[[], object]] = [
        lambda: text,
        lambda: text * 1000,
        lambda: RaisingText(text),
        lambda: "\ud800" + text,
        lambda: b"\xff",
        lambda: None,
        list,
        dict,
        object,
        RaisingValue,
        MisleadingValue,
        lambda: (text, text),
        lambda: (),
        lambda: source.choice([-1, -0.0, 10**400, -(10**400), 2**63 + 1, 5e-324, True]),
        lambda: source.choice([float("nan"), float("inf"), float("-inf"), complex(1, 1)]),
        lambda: source.choice([Decimal(1), Decimal("NaN"), Fraction(1, 3), ScalarValue(1.5)]),
        lambda: "1" * 5000,
    ]
    return source.choice(odd)()


@pytest.fixture
def registry() -> Registry:
    return tallow_registry()


@pytest.fixture
def record(registry: Registry) -> Metrics:
    return Metrics(registry)


READERS = {"close", "value"}
HELPERS = sorted(
    name
    for name, _ in inspect.getmembers(Metrics, inspect.isfunction)
    if name[0] != "_" and name not in READERS
)


def parameters(helper: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    return iter(inspect.signature(helper).parameters.values())


@pytest.mark.parametrize("name", HELPERS)
def test_no_method_raises_or_adds_unbounded_series_for_any_argument(
    name: str, record: Metrics, registry: Registry
) -> None:
    helper = getattr(record, name)
    source = random.Random(name)
    bound = 4 * sum(dict(registry.live_series()).values())
    if name.startswith("register_"):
        bound = 100_000  # 500 registered values, each with its series
    for _ in range(2500):  # 45 methods: more than 100,000 hostile calls
        helper(*[hostile(source) for _ in parameters(helper)])
    assert sum(dict(registry.live_series()).values()) < bound
    readable(registry)


def readable(registry: Registry) -> None:
    """Assert that the reference parsers read both formats and find only our metrics."""
    for text, openmetrics, parse in (
        (expose(registry), False, parse_text),
        (expose(registry, openmetrics=True), True, openmetrics_parser.text_string_to_metric_families),
    ):
        families = list(parse(text.decode()))
        assert all(family.name.startswith("tallow_") for family in families), openmetrics
        assert b"np.float64" not in text


@pytest.mark.parametrize("name", [name for name in HELPERS if name.startswith("record_")])
def test_each_value_outside_the_catalogue_is_counted(name: str, record: Metrics, registry: Registry) -> None:
    helper = getattr(record, name)
    taken = list(parameters(helper))
    labels = [position for position, parameter in enumerate(taken) if parameter.annotation in ("str", "int")]
    if not labels:
        pytest.skip("takes no label")
    usual = {"str": "other", "int": 1, "float": 1.0, "bool": True}
    for position in labels:
        given = [usual.get(parameter.annotation) for parameter in taken]
        for odd in (None, "no such value", b"bytes", RaisingValue(), ["list"]):
            given[position] = odd
            before = overflows(registry)
            helper(*given)
            assert overflows(registry) > before, (position, odd)


def overflows(registry: Registry) -> float:
    totals = registry.snapshot(["label_overflow_total"]).get("label_overflow_total", [])
    return float(sum(entry["value"] for entry in totals))


def test_a_hostile_value_is_recorded_as_other(record: Metrics, registry: Registry) -> None:
    for odd in (None, b"p2p", ["p2p"], RaisingValue(), "x" * 100_000):
        record.record_transfer("success", odd, 10, 1.0)  # type: ignore[arg-type]
        record.record_retry(odd, "success")  # type: ignore[arg-type]
        record.record_chunk_transfer("p2p", odd, 10, 1.0)  # type: ignore[arg-type]
    assert registry.value("transfers_total", status="success", method="other") == 5
    assert registry.value("retry_attempts_total", operation="other", status="success") == 5
    assert registry.value("bytes_transferred_total", direction="other") == 50
    assert registry.value("chunk_transfer_duration_seconds_count", method="p2p") == 5


@pytest.mark.parametrize("number", [ScalarValue(1.5), True, Fraction(3, 2), 2**62])
def test_any_real_number_is_stored_as_a_float(record: Metrics, registry: Registry, number: Any) -> None:
    record.record_chunk_transfer("p2p", "sent", number, number)
    record.record_transfer("success", "p2p", number, number)
    record.set_queue_depth(number)
    assert registry.value("bytes_transferred_total", direction="sent") == float(number)
    assert {type(cell) for cell in registry.storage.read()} == {float}


@pytest.mark.parametrize(
    "number", [MisleadingValue(), RaisingValue(), "12", b"12", None, 10**400, 2**63 + 10**6, float("nan"), -1]
)
def test_an_impossible_number_changes_no_sample(record: Metrics, registry: Registry, number: Any) -> None:
    record.record_chunk_transfer("p2p", "sent", number, 0.5)
    record.record_event_loop_lag(number)
    assert registry.value("bytes_transferred_total", direction="sent") == 0
    assert registry.value("event_loop_lag_seconds_count") == 0
    assert registry.value("chunk_transfer_duration_seconds_count", method="p2p") == 1
    assert registry.value("label_overflow_total", metric="tallow_bytes_transferred_total") == 1
    assert registry.value("label_overflow_total", metric="tallow_event_loop_lag_seconds") == 1


def test_an_enum_member_is_recorded_as_its_text(record: Metrics, registry: Registry) -> None:
    assert record.register_cache(EnumMember.ROOMS)
    record.record_cache_access(EnumMember.ROOMS, True)
    record.record_chunk_transfer("p2p", EnumMember.SENT, 5, 0.1)
    assert registry.value("cache_hits_total", cache="rooms") == 1
    assert registry.value("bytes_transferred_total", direction="sent") == 5
    assert b'cache="rooms"' in expose(registry)


@pytest.mark.parametrize(
    "value", [None, b"rooms", 7, "\ud800", "a\0b", "a\nb", "x" * 1000, RaisingValue(), ["rooms"]]
)
def test_a_value_that_is_not_a_short_printable_text_is_not_registered(
    record: Metrics, registry: Registry, value: Any
) -> None:
    before = dict(registry.live_series())
    assert not record.register_cache(value)
    assert not record.register_route(value)
    assert dict(registry.live_series()) == before


def test_unknown_methods_of_a_route_are_registered_as_other(record: Metrics, registry: Registry) -> None:
    assert record.register_route("/dav", ("PROPFIND", "LOCK", "GET"))
    assert registry.value("http_request_size_bytes_count", method="other", route="/dav") == 0
    with pytest.raises(KeyError):
        registry.value("http_request_size_bytes_count", method="PROPFIND", route="/dav")
    assert not record.register_route("/odd", None)  # type: ignore[arg-type]
    assert not record.register_route("/odd", 7)  # type: ignore[arg-type]


def test_a_scrape_counts_no_overflow(record: Metrics, registry: Registry) -> None:
    for _ in range(3):
        expose(registry)
    assert overflows(registry) == 0
