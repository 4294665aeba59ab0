"""``Counter``, ``Gauge`` and ``Histogram`` that an application declares."""

from __future__ import annotations

import asyncio
import importlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prometheus_client
import pytest

from tallow.monitoring import metrics
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics import Counter, Gauge, Histogram, Metrics, Registered, Registry
from tallow.monitoring.metrics.declared import strict
from tallow.monitoring.metrics.workers.storage import WorkerStorage

FORMATS = {"format": ("csv", "pdf")}


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests: what is recorded wrongly is counted and does not raise."""
    monkeypatch.setenv(strict.VARIABLE, "0")


def overflows(registry: Registry, name: str) -> float:
    return registry.value("label_overflow_total", metric=name)


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


def test_the_name_is_that_of_prometheus_client(registry: Registry) -> None:
    for options in (
        {},
        {"namespace": "shop"},
        {"namespace": "shop", "subsystem": "web"},
        {"unit": "bytes"},
        {"namespace": "shop", "subsystem": "web", "unit": "seconds"},
    ):
        for kind in ("Counter", "Gauge", "Histogram"):
            for name in ("work", "work_total", "work_bytes"):
                if name == "work_total" and kind != "Counter":
                    continue
                own, peer = Registry(), prometheus_client.CollectorRegistry()
                found = getattr(metrics, kind)(name, "Work.", registry=own, **options)
                getattr(prometheus_client, kind)(name, "Work.", registry=peer, **options)
                [family] = [family for family in peer.collect() if not family.name.endswith("_created")]
                exposed = found.metric.exposed_name("").removesuffix("_total")
                assert exposed == family.name


def test_every_series_exists_at_zero_before_the_first_use(registry: Registry) -> None:
    Counter("exports", "Exports made.", FORMATS, "shop", registry=registry)
    assert 'shop_exports_total{format="pdf"} 0.0' in expose(registry).decode()


@pytest.mark.usefixtures("lenient")
def test_an_unlisted_value_is_other_and_counted(registry: Registry) -> None:
    exports = Counter("exports", "Exports made.", FORMATS, registry=registry)
    for value in ("exe", "x" * 500, "", "\0", 7, None, ["csv"]):
        exports.inc(format=value)  # type: ignore[arg-type]
        exports.labels(value).inc()  # type: ignore[arg-type]
    assert registry.value("exports_total", format="other") == 14
    assert overflows(registry, "exports_total") == 14


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("labels", [{}, {"form": "csv"}, {"format": "csv", "more": "x"}])
def test_wrong_labels_are_recorded_as_other_and_counted(registry: Registry, labels: dict[str, str]) -> None:
    exports = Counter("exports", "Exports made.", FORMATS, registry=registry)
    exports.inc(**labels)  # type: ignore[arg-type]
    assert registry.value("exports_total", format="other") == 1
    assert overflows(registry, "exports_total") == 1


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (lambda exports: exports.inc(format="exe"), "a value of format is not listed; accepted are csv, pdf"),
        (lambda exports: exports.labels("exe"), "a value of format is not listed"),
        (lambda exports: exports.inc(), "its labels are format"),
        (lambda exports: exports.inc(form="csv"), "its labels are format"),
        (lambda exports: exports.labels("csv", "pdf"), "its labels are format"),
        (lambda exports: exports.inc(-1, format="csv"), "a number is finite and not negative"),
        (lambda exports: exports.inc(float("nan"), format="csv"), "a number is finite"),
        (lambda exports: exports.labels("csv").inc("3"), "a number is finite"),
    ],
)
def test_wrong_use_raises_in_strict_mode(
    registry: Registry, record: Callable[[Counter], None], message: str
) -> None:
    exports = Counter("exports", "Exports made.", FORMATS, registry=registry)
    with pytest.raises(ValueError, match=f"^counter 'exports_total': {message}"):
        record(exports)


@pytest.mark.parametrize(
    ("value", "pytest_runs", "expected"),
    [("1", False, True), ("0", True, False), ("", True, True), ("", False, False), ("off", True, False)],
)
def test_strict_mode_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, value: str, pytest_runs: bool, expected: bool
) -> None:
    monkeypatch.setenv(strict.VARIABLE, value)
    if not pytest_runs:
        monkeypatch.delenv("PYTEST_CURRENT_TEST")
    assert strict.is_strict() is expected


def test_a_registered_label_takes_new_values_up_to_a_limit(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = Counter("pages", "Pages.", {"page": Registered("home")}, registry=registry)
    pages.inc(page="cart")
    assert registry.value("pages_total", page="cart") == 1
    assert registry.value("pages_total", page="home") == 0
    monkeypatch.setenv(strict.VARIABLE, "0")
    for number in range(1_000):
        pages.inc(page=f"page-{chr(97 + number % 26)}-{'abcdefghij'[number // 100]}{number}")
    assert len(registry.families[pages.metric.key]) <= 501
    assert registry.value("pages_total", page="other") == 1_000 - 498
    assert overflows(registry, "pages_total") == 1_000 - 498


def test_a_private_value_becomes_other(registry: Registry) -> None:
    pages = Counter("pages", "Pages.", {"page": Registered()}, registry=registry)
    with pytest.raises(ValueError, match="a value is private") as caught:
        pages.inc(page="alice@mail.example")
    assert "alice" not in str(caught.value)
    assert "alice" not in expose(registry).decode()


def test_only_registered_values_are_taken_if_asked_for(registry: Registry) -> None:
    pages = Counter("pages", "Pages.", {"page": Registered(on_use=False)}, registry=registry)
    assert pages.register(page="cart")
    assert not pages.register(pages="cart")
    pages.inc(page="cart")
    with pytest.raises(ValueError, match="accepted are values passed to register"):
        pages.inc(page="home")
    assert registry.value("pages_total", page="cart") == 1


def test_numbers_as_label_values_are_texts_as_in_prometheus_client(registry: Registry) -> None:
    answers = Counter("answers", "Answers.", {"code": ("200", "404")}, registry=registry)
    answers.inc(code=200)  # type: ignore[arg-type]
    answers.labels(404).inc()  # type: ignore[arg-type]
    assert registry.value("answers_total", code="200") == registry.value("answers_total", code="404") == 1


def test_each_type_has_only_its_own_methods() -> None:
    of = {kind: {name for name in dir(kind) if name[0] != "_"} for kind in (Counter, Gauge, Histogram)}
    assert not of[Counter] & {"dec", "set", "observe", "time", "set_function"}
    assert not of[Gauge] & {"observe", "count_exceptions"}
    assert not of[Histogram] & {"inc", "dec", "set", "count_exceptions", "track_inprogress"}


@pytest.mark.parametrize("name", ["Summary", "Info", "Enum"])
def test_a_type_that_is_left_out_names_its_replacement(name: str) -> None:
    with pytest.raises(ImportError, match=f"has no {name}; use "):
        exec(f"from tallow.monitoring.metrics import {name}")


async def test_blocks_are_measured_sync_and_async(registry: Registry) -> None:
    render = Histogram("render_seconds", "Time.", {"page": ("cart",)}, registry=registry)
    failures = Counter("failures", "Failures.", registry=registry)
    running = Gauge("running", "Running.", registry=registry)

    @render.time(page="cart")
    @failures.count_exceptions(ValueError)
    @running.track_inprogress()
    async def page(number: int) -> float:
        await asyncio.sleep(0.01)
        if number < 0:
            raise ValueError("negative")
        return registry.value("running")

    @render.time(page="cart")
    def plain() -> str:
        return "plain"

    assert max(await asyncio.gather(page(1), page(2), page(3))) == 3
    with pytest.raises(ValueError, match="negative"):
        await page(-1)
    assert plain() == "plain"
    with render.time(page="cart") as timer:
        pass
    async with render.time(page="cart"):
        await asyncio.sleep(0)
    assert timer.duration is not None
    assert registry.value("render_seconds_count", page="cart") == 7
    assert registry.value("render_seconds_sum", page="cart") >= 0.02
    assert registry.value("failures_total") == 1
    assert registry.value("running") == 0


def test_an_exception_of_another_type_is_not_counted(registry: Registry) -> None:
    failures = Counter("failures", "Failures.", registry=registry)
    with pytest.raises(KeyError), failures.count_exceptions((ValueError, TypeError)):
        raise KeyError
    assert registry.value("failures_total") == 0


def test_the_labels_of_a_timer_can_be_chosen_within_the_block(registry: Registry) -> None:
    render = Histogram("render_seconds", "Time.", {"page": ("cart", "home")}, registry=registry)
    with render.time(page="cart") as timer:
        timer.labels(page="home")
    assert registry.value("render_seconds_count", page="home") == 1


def test_a_gauge_reads_functions_and_survives_one_that_fails(registry: Registry) -> None:
    depth = Gauge("depth", "Depth.", {"queue": ("a", "b")}, registry=registry)
    depth.set_function(lambda: 1 / 0, queue="a")
    depth.labels(queue="b").set_function(lambda: 3)
    assert registry.value("depth", queue="b") == 3
    assert registry.value("depth", queue="a") == 0
    assert registry.value("collector_failures_total") >= 1
    depth.labels(queue="b").set_function(lambda: 4)
    assert registry.value("depth", queue="b") == 4


def test_the_current_time_is_set(registry: Registry) -> None:
    last = Gauge("last", "Last run.", unit="seconds", registry=registry)
    before = time.time()
    last.set_to_current_time()
    assert before <= registry.value("last_seconds") <= time.time()


_any: Any = metrics  # what a type checker would already refuse


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: _any.Counter("1x", "X."), "counter '1x': the name is not valid; accepted are letters"),
        (lambda: _any.Counter("a-b", "X."), "counter 'a-b': the name is not valid"),
        (lambda: _any.Counter("x", "X.", namespace="a-b"), "counter 'x': namespace 'a-b' is not valid"),
        (lambda: _any.Counter("x", "X.", unit="µs"), "counter 'x': unit 'µs' is not valid"),
        (lambda: _any.Counter("x", "X.", ["format"]), "counter 'x': labels are a dict of each label"),
        (lambda: _any.Counter("x", "X.", {"a": "csv"}), "the values of label 'a' are a tuple of texts"),
        (lambda: _any.Counter("x", "X.", {"a": (1, 2)}), "the values of label 'a' are texts"),
        (lambda: _any.Counter("x", "X.", {"a": ()}), "label 'a' has no values; list them, or use Registered"),
        (lambda: _any.Counter("x", "X.", {"a": ("b", "b")}), "a value of label 'a' is listed twice"),
        (lambda: _any.Counter("x", "X.", {"a": ("\0",)}), "label values are text"),
        (lambda: _any.Counter("x", "X.", {"le": ("b",)}), "not le and not beginning with __"),
        (lambda: _any.Counter("x", "X.", {"__a": ("b",)}), "not le and not beginning with __"),
        (
            lambda: _any.Gauge("x_total", "X."),
            "gauge 'x_total': a counter, and no other metric, ends in _total",
        ),
        (lambda: _any.Gauge("x_count", "X."), "no name ends as a histogram's samples do"),
        (lambda: _any.Gauge("x", "X.", multiprocess_mode="all"), "gauge 'x': multiprocess_mode 'all' is not"),
        (lambda: _any.Histogram("x", "X.", buckets=()), "bucket edges are finite numbers, at least one"),
        (lambda: _any.Histogram("x", "X.", buckets=(1, 1)), "bucket edges rise, and none is repeated"),
        (lambda: _any.Histogram("x", "X.", buckets=(2, 1)), "bucket edges rise, and none is repeated"),
        (lambda: _any.Histogram("x", "X.", buckets=(float("nan"),)), "bucket edges are finite numbers"),
        (lambda: _any.Histogram("x", "X.", buckets="123"), "buckets are a tuple of numbers"),
        (lambda: _any.Counter("x", None), "help is text"),
        (lambda: _any.Counter("x", "X.", registry="default"), "the registry is a str; accepted are"),
        (
            lambda: _any.Counter("x", "X.", {"a": map(str, range(200)), "b": map(str, range(200))}),
            "its label values make 40,000 lines of the exposition; at most 10,000 are accepted",
        ),
    ],
)
def test_a_wrong_declaration_gets_one_clear_line(declare: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        declare()
    assert "\n" not in str(caught.value)


def test_a_name_is_declared_once(registry: Registry) -> None:
    Counter("exports", "Exports made.", FORMATS, registry=registry)
    with pytest.raises(ValueError, match=r"^counter 'exports_total' is already declared; declare it once"):
        Counter("exports", "Exports made.", FORMATS, registry=registry)
    with pytest.raises(ValueError, match=r"with a different definition \(labels\)"):
        Counter("exports", "Exports made.", registry=registry)
    with pytest.raises(ValueError, match="the name 'exports' belongs to 'exports_total'"):
        Gauge("exports", "Exports that run.", registry=registry)


RELOADED = """
from tallow.monitoring.metrics import Counter
ORDERS = Counter("orders", "Orders.", namespace="reloaded")
"""


def test_a_module_may_be_reloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop_reloaded.py").write_text(RELOADED)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("shop_reloaded")
    module.ORDERS.inc()
    before = module.ORDERS
    module = importlib.reload(module)
    module.ORDERS.inc()
    before.inc()
    assert metrics.value("reloaded_orders_total") == 3


def test_metrics_can_be_passed_as_the_registry() -> None:
    own = Metrics(Registry())
    Counter("exports", "Exports made.", registry=own).inc()
    assert own.value("exports_total") == 1
    own.close()


IMPORT_ONLY = """
import os, sys
from tallow.monitoring.metrics import Counter, Gauge, Histogram, default
opened = []
sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event == "open" else None)
exports = Counter("exports", "Exports made.", {"format": ("csv", "pdf")})
csv = exports.labels(format="csv")
depth = Gauge("depth", "Depth.")
depth.set_function(lambda: 7)
timed = Histogram("work_seconds", "Work.").time()(lambda: 1)
assert default._registry is None and not opened, opened
assert not os.path.exists(os.environ["TALLOW_METRICS_DIR"])
from tallow.monitoring import instrument, metrics
async def app(scope, receive, send): ...
instrument(app)
late = Counter("late", "Declared after the application.")
late.inc(); csv.inc(2); timed()
from tallow.monitoring.exposition.text import expose
print(expose(metrics.REGISTRY).decode())
"""


def test_a_declaration_does_no_io_and_may_come_before_or_after_the_application(tmp_path: Path) -> None:
    printed = run(IMPORT_ONLY, TALLOW_METRICS_DIR=str(tmp_path / "metrics"))
    for line in (
        'exports_total{format="csv"} 2.0',
        'exports_total{format="pdf"} 0.0',
        "depth 7.0",
        "late_total 1.0",
        "work_seconds_count 1.0",
    ):
        assert f"\n{line}\n" in printed


def test_several_workers_are_added_up(tmp_path: Path) -> None:
    workers = [Registry(storage=WorkerStorage(tmp_path)) for _ in range(3)]
    for number, worker in enumerate(workers):
        exports = Counter("exports", "Exports made.", FORMATS, registry=worker)
        exports.labels(format="csv").inc()
        exports.inc(format="csv")
        largest = Gauge("largest", "Largest.", registry=worker, multiprocess_mode="max")
        largest.set(number)
        depth = Gauge("depth", "Depth.", registry=worker)
        depth.set_function(lambda number=number: number)  # type: ignore[misc]
        worker.refresh()
    assert workers[0].value("exports_total", format="csv") == 6
    assert workers[1].value("largest") == 2
    assert workers[2].value("depth") == 3
    workers[0].close()
    assert workers[1].value("exports_total", format="csv") == 6
    for worker in workers[1:]:
        worker.close()
