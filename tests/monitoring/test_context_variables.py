"""Context variables are safe when they are read during a garbage collection.

Until Python 3.11, ``ContextVar.reset`` of a variable that was not set before can run the collector. A value
that is read then stays in the variable's cache after it is freed.
"""

from __future__ import annotations

import contextvars
import gc
from collections.abc import Callable, Iterator

import pytest

from tallow.monitoring import correlation, opentelemetry_api, request_context
from tallow.monitoring.metrics.runtime import GcMonitor
from tallow.monitoring.testing import fresh_metrics

ROUNDS = 300


@pytest.fixture
def collecting() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Return a function that makes every allocation of a container run the collector and a callback."""
    thresholds, added = gc.get_threshold(), []

    def begin(read: Callable[[], object]) -> None:
        def callback(_phase: str, _info: dict[str, int]) -> None:
            read()

        added.append(callback)
        gc.callbacks.append(callback)
        gc.set_threshold(1)

    yield begin
    gc.set_threshold(*thresholds)
    for callback in added:
        gc.callbacks.remove(callback)


def in_a_context_with_other_variables(work: Callable[[], None]) -> None:
    """Run a function where removing a variable allocates containers."""
    others = [contextvars.ContextVar[int](f"other {number}") for number in range(5)]

    def run() -> None:
        for other in others:
            other.set(1)
        work()

    contextvars.Context().run(run)


def test_no_correlation_id_is_left_after_its_block(
    collecting: Callable[[Callable[[], object]], None],
) -> None:
    def work() -> None:
        collecting(correlation._current.get)
        for _ in range(ROUNDS):
            with correlation.bind("ab" * 16):
                pass
            assert correlation._current.get() is None

    in_a_context_with_other_variables(work)


def test_no_scope_is_left_after_its_block(collecting: Callable[[Callable[[], object]], None]) -> None:
    def work() -> None:
        collecting(request_context.current)
        for _ in range(ROUNDS):
            with request_context.bind({"type": "http", "headers": []}):
                pass
            assert request_context.current() is None

    in_a_context_with_other_variables(work)


def test_no_span_is_left_after_its_block(collecting: Callable[[Callable[[], object]], None]) -> None:
    context = pytest.importorskip("opentelemetry.context")
    pytest.importorskip("opentelemetry.trace")

    def work() -> None:
        before = context.get_current()
        collecting(context.get_current)
        for _ in range(ROUNDS):
            started = opentelemetry_api.start_span("work", {})
            opentelemetry_api.end_span(started, {}, failed=False)
            assert context.get_current() == before

    in_a_context_with_other_variables(work)


def test_a_collection_is_measured_without_reading_the_correlation_id() -> None:
    metrics = fresh_metrics()
    monitor = GcMonitor(metrics.registry)
    with correlation.bind("ab" * 16):
        gc.collect()
    monitor.close()
    assert metrics.value("gc_duration_seconds_count", generation="2") >= 1
    assert metrics.registry.exemplars == {}
