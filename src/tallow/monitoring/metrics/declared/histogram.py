"""Histograms that an application declares."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import time
from typing import Any

from tallow.monitoring.catalog.declaration import DEFAULT_BUCKETS, LabelValues
from tallow.monitoring.correlation import exemplar_id
from tallow.monitoring.metrics.declared.blocks import Timer
from tallow.monitoring.metrics.declared.instrument import PLAIN, AnyRegistry, Instrument
from tallow.monitoring.metrics.family import LARGEST, Family
from tallow.monitoring.metrics.registry import Exemplar
from tallow.monitoring.metrics.storage import ThreadSlot


class HistogramChild:
    """One series of a histogram.

    Example:
        >>> sizes = Histogram("sizes", "Sizes.", {"kind": ("a", "b")}, buckets=(1, 10), registry=registry)
        >>> sizes.labels(kind="a").observe(3)
        >>> registry.value("sizes_sum", kind="a")
        3.0
    """

    def __init__(self, histogram: Histogram, values: tuple[Any, ...], labels: Mapping[str, Any]) -> None:
        self._histogram = histogram
        self._find = partial(histogram.find, values, labels)
        if histogram.is_bound:
            self._resolve()

    def _resolve(self) -> None:
        first, histogram = self._find(), self._histogram
        observe = _observer(histogram.slot, histogram.bind(), first, histogram.exemplars, histogram.refuse)
        self.observe = observe  # type: ignore[method-assign] # half the time of a method

    def observe(self, amount: float, exemplar: Mapping[str, str] | None = None) -> None:
        """Observe a value: see :meth:`Histogram.observe`."""
        if "observe" not in self.__dict__:
            self._resolve()
        self.observe(amount)

    def time(self) -> Timer:
        """Observe the duration of a block or of a call of a decorated function, in seconds."""
        return Timer(self.observe, self._histogram.labels)


class Histogram(Instrument[HistogramChild]):
    """Counts observations in buckets, and adds them up.

    Args:
        name: without namespace.
        documentation: one sentence for the exposition.
        labels: the values of each label, as a tuple or as :class:`Registered`.
        namespace: what precedes the name; None for the application's namespace.
        subsystem: what stands between namespace and name.
        unit: appended to the name.
        registry: a :class:`Registry` or :class:`Metrics`; by default the process's own.
        buckets: rising upper edges in the unit of the name; ``+Inf`` may be left out.

    Raises:
        ValueError: one line that names what is wrong and what is accepted.

    Example:
        >>> render = Histogram("render_seconds", "Time to render.", buckets=(0.01, 0.1, 1), registry=registry)
        >>> render.observe(0.05)
        >>> with render.time():
        ...     pass
        >>> registry.value("render_seconds_count")
        2.0
    """

    kind = "histogram"
    DEFAULT_BUCKETS = DEFAULT_BUCKETS

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Mapping[str, LabelValues] | None = None,
        namespace: str | None = "",
        subsystem: str = "",
        unit: str = "",
        registry: AnyRegistry | None = None,
        buckets: Sequence[float] = DEFAULT_BUCKETS,
    ) -> None:
        super().__init__(name, documentation, labels, namespace, subsystem, unit, registry, buckets=buckets)

    @property
    def exemplars(self) -> dict[int, Exemplar]:
        """The exemplars of the registry, by bucket."""
        return self.target.exemplars

    def observe(self, amount: float, exemplar: Mapping[str, str] | None = None, **labels: str) -> None:
        """Observe a value.

        Args:
            amount: finite and not negative, in the metric's unit; another value is left out and counted.
            exemplar: accepted for prometheus_client's sake; the exemplar is the current correlation id.
            labels: the value of each label.

        Raises:
            ValueError: in strict mode only.
        """
        self.labels(**labels).observe(amount)

    def time(self, **labels: str) -> Timer:
        """Observe the duration of a block or of each call of a decorated function, sync or async, in seconds.

        Args:
            labels: the value of each label.

        Example:
            >>> render = Histogram("page_seconds", "Time to render a page.", registry=registry)
            >>> @render.time()
            ... async def page():
            ...     return "page"
            >>> import asyncio
            >>> asyncio.run(page())
            'page'
            >>> registry.value("page_seconds_count")
            1.0
        """
        return self.labels(**labels).time()

    def _new_child(self, values: tuple[Any, ...], labels: dict[str, Any]) -> HistogramChild:
        return HistogramChild(self, values, labels)


def _observer(
    slot: ThreadSlot,
    family: Family,
    first: int,
    exemplars: dict[int, Exemplar],
    refuse: Callable[[str], None],
) -> Callable[..., None]:
    """Return the function that observes in one series."""
    edges, sum_cell = family.edges, first + family.sum_at

    def observe(amount: float, exemplar: object = None) -> None:  # noqa: ARG001 - see Histogram.observe
        try:
            number = amount if amount.__class__ in PLAIN else float(amount)
            if 0.0 <= number <= LARGEST:
                bucket = first + bisect_left(edges, number)
                row = slot.row
                row[bucket] += 1.0
                row[sum_cell] += number
                request = exemplar_id()
                if request is not None:
                    exemplars[bucket] = (request, number, time())
                return
        except Exception:  # noqa: BLE001, S110 - not a number
            pass
        refuse("an observation is finite and not negative")

    return observe
