"""Count the hits and misses of a cache object."""

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
    is_hit: Callable[[Any], bool | None] = lambda found: found is not None,
) -> C:
    """Count ``cache_hits_total`` and ``cache_misses_total`` for every look-up of a cache object.

    The method is replaced on this object only; keys and values are not recorded. A look-up that raises is
    neither a hit nor a miss.

    Args:
        cache: any object with a look-up method, sync or async, such as a Redis client.
        name: the ``cache`` label; it is registered.
        metrics: where to record; by default the process's metrics.
        lookup: the name of the look-up method.
        is_hit: whether the returned value is a hit. None counts as neither: nothing by that key exists, so
            that no cache could have held it, and strangers may choose keys.

    Returns:
        The same object.

    Raises:
        TypeError: the object has no such method, or the method cannot be replaced.

    Example:
        >>> class Cache(dict): ...
        >>> cache = instrument_cache(Cache(answer=42), "thumbnails", metrics)
        >>> cache.get("answer"), cache.get("question")
        (42, None)
        >>> metrics.value("cache_misses_total", cache="thumbnails")
        1.0
    """
    method = getattr(cache, lookup, None)
    if not callable(method):
        raise TypeError(f"{type(cache).__name__} has no method {lookup!r} to count")
    metrics.registry.add_catalogs(("storage",))
    metrics.register_cache(name)

    def count(found: Any) -> Any:
        hit = is_hit(found)
        if hit is not None:
            metrics.record_cache_access(name, bool(hit))
        return found

    try:
        setattr(cache, lookup, _passing_results_to(count, method))
    except AttributeError:
        raise TypeError(
            f"{type(cache).__name__} does not allow its method {lookup!r} to be replaced"
        ) from None
    return cache


def _passing_results_to(count: Callable[[Any], Any], method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, sync or async, which passes what it returns to ``count``."""

    @functools.wraps(method)
    def instrumented(*args: Any, **kwargs: Any) -> Any:
        found = method(*args, **kwargs)
        return count_later(found) if inspect.isawaitable(found) else count(found)

    async def count_later(found: Any) -> Any:
        return count(await found)

    return instrumented
