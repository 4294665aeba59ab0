"""Hits and misses of sync and async caches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tallow.monitoring.integrations.caches import instrument_cache
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry


class Sync(dict[str, Any]):
    pass


class Async:
    async def fetch(self, key: str) -> Any:
        if key == "down":
            raise ConnectionError
        return {"there": 1, "empty": ""}.get(key)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


def counts(metrics: Metrics, name: str) -> tuple[float, float]:
    registry = metrics.registry
    return registry.value("cache_hits_total", cache=name), registry.value("cache_misses_total", cache=name)


def test_a_sync_cache_is_counted(metrics: Metrics) -> None:
    cache = instrument_cache(Sync(a=1), "users", metrics)
    assert counts(metrics, "users") == (0, 0)
    assert [cache.get("a"), cache.get("b"), cache.get("b", None)] == [1, None, None]
    assert counts(metrics, "users") == (1, 2)


async def test_an_async_cache_is_counted(metrics: Metrics) -> None:
    cache = instrument_cache(Async(), "pages", metrics, lookup="fetch")
    assert [await cache.fetch("there"), await cache.fetch("absent")] == [1, None]
    assert counts(metrics, "pages") == (1, 1)


async def test_the_definition_of_a_hit_can_be_set(metrics: Metrics) -> None:
    cache = instrument_cache(Async(), "pages", metrics, lookup="fetch", is_hit=bool)
    assert await cache.fetch("empty") == ""
    assert counts(metrics, "pages") == (0, 1)


async def test_a_look_up_of_what_does_not_exist_is_neither_hit_nor_miss(metrics: Metrics) -> None:
    answers = {"": None, None: False}
    cache = instrument_cache(
        Async(), "pages", metrics, lookup="fetch", is_hit=lambda found: answers.get(found, True)
    )
    for key in ("empty", "absent", "there"):
        await cache.fetch(key)
    assert counts(metrics, "pages") == (1, 1)


async def test_a_look_up_that_raises_is_not_counted(metrics: Metrics) -> None:
    cache = instrument_cache(Async(), "pages", metrics, lookup="fetch")
    with pytest.raises(ConnectionError):
        await cache.fetch("down")
    assert counts(metrics, "pages") == (0, 0)


@pytest.mark.parametrize("cache", [object(), {}])
def test_an_object_that_cannot_be_instrumented_is_rejected(
    metrics: Metrics, cache: Mapping[str, Any]
) -> None:
    with pytest.raises(TypeError, match=f"^{type(cache).__name__} "):
        instrument_cache(cache, "users", metrics)
