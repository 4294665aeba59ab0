"""Hits and misses of any cache: one call, and every look-up is counted."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from tallow.monitoring.metrics import METRICS, Metrics

C = TypeVar("C")


def instrument_cache(
    cache: C,
    name: str,
    metrics: Metrics = METRICS,
    *,
    lookup: str = "get",
    is_hit: Callable[[Any], bool] = lambda found: found is not None,
) -> C:
    """Count ``cache_hits_total`` and ``cache_misses_total`` for every look-up of a cache object.

    The object's own method is replaced, on this object alone; keys and values are not looked at. A look-up
    that raises is neither a hit nor a miss.

    Args:
        cache: any object with a look-up method, sync or async: a cache of this process, a Redis client.
        name: the ``cache`` label; registered here.
        lookup: the method that looks a value up.
        is_hit: whether what it returned counts as found.

    Returns:
        The same object.

    Raises:
        TypeError: the object has no such method, or does not let it be replaced.
    """
    method = getattr(cache, lookup, None)
    if not callable(method):
        raise TypeError(f"{type(cache).__name__} has no method {lookup!r} to count")
    metrics.register_cache(name)

    def counted(found: Any) -> Any:
        metrics.record_cache_access(name, bool(is_hit(found)))
        return found

    @functools.wraps(method)
    def looked_up(*args: Any, **kwargs: Any) -> Any:
        found = method(*args, **kwargs)
        return awaited(found) if inspect.isawaitable(found) else counted(found)

    async def awaited(found: Any) -> Any:
        return counted(await found)

    try:
        setattr(cache, lookup, looked_up)
    except AttributeError:
        raise TypeError(f"{type(cache).__name__} does not let its method {lookup!r} be replaced") from None
    return cache
