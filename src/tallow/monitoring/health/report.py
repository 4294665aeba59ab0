"""Run all checks concurrently and cache the report briefly, shared by all concurrent requests."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tallow.monitoring.health import builtin_checks
from tallow.monitoring.health.check import Check, CheckFunction
from tallow.monitoring.health.draining import DRAINING
from tallow.monitoring.health.result import CheckResult, Status

CACHE_SECONDS: Final = 1.0
"""Seconds that a report is cached: each check runs about once in this time, however many probes there are,
or about twice if reports are renewed ahead of demand."""

PROBE_SECONDS: Final = 0.8
"""Seconds that a report waits for critical checks: Kubernetes waits one second for a probe."""

FIRST_SECONDS: Final = 0.4
OPTIONAL_SECONDS: Final = 0.1
"""Seconds that a report waits for a check that is not critical: before its first result, and after it. It
does not wait for one that needed more time in its last run, or that still runs since an earlier report."""

MAX_TIMEOUT_SECONDS: Final = 60
_CHECK_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The results of all checks.

    Args:
        results: by the name of the check.
        taken_at: seconds since the Unix epoch.

    Example::

        >>> result = CheckResult(Status.UNHEALTHY, critical=False, duration_s=0.1)
        >>> report = HealthReport({"cache": result}, taken_at=0.0)
        >>> report.status, report.failing, report.degraded
        (<Status.DEGRADED: 'degraded'>, [], ['cache'])
    """

    results: Mapping[str, CheckResult]
    taken_at: float

    @property
    def failing(self) -> list[str]:
        """The names of unhealthy critical components. With any of these the service is not ready."""
        return [name for name, found in self.results.items() if found.critical and _is_unhealthy(found)]

    @property
    def degraded(self) -> list[str]:
        """The names of the other components that are not healthy. The service is ready nevertheless."""
        failing = set(self.failing)
        worse = (name for name, found in self.results.items() if found.status is not Status.HEALTHY)
        return [name for name in worse if name not in failing]

    @property
    def late(self) -> dict[str, float]:
        """The checks that did not answer in time, with the age of the result that is shown, in seconds."""
        return {name: found.age_s for name, found in self.results.items() if found.age_s is not None}

    @property
    def status(self) -> Status:
        """Unhealthy if a critical component is unhealthy, degraded if any other component is not healthy."""
        if self.failing:
            return Status.UNHEALTHY
        return Status.DEGRADED if self.degraded else Status.HEALTHY


class Health:
    """The checks of one application. The checks ``environment`` and ``memory`` are registered already.

    Args:
        cache: seconds that a report is cached.
        ahead: seconds before a cached report ends, from which on a request starts the next one, and does not
            wait for it. On a busy server frequent probes do not wait for checks then. The event loop must
            outlive the request.
        clock: returns the seconds of a monotonic clock.

    Example::

        >>> import asyncio
        >>> health = Health()
        >>> health.register_check("database", lambda: ("degraded", "2 of 3 replicas answer"), critical=False)
        >>> report = asyncio.run(health.report())
        >>> report.results["database"].reason
        '2 of 3 replicas answer'
    """

    def __init__(
        self,
        cache: float = CACHE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        *,
        ahead: float = 0.0,
    ) -> None:
        self._cache = cache
        self._ahead = ahead
        self._clock = clock
        self._checks: dict[str, Check] = {}
        self._report: tuple[float, HealthReport] | None = None
        self._running: asyncio.Task[HealthReport] | None = None
        self.register_check("environment", builtin_checks.check_environment)
        self.register_check("memory", builtin_checks.check_memory)

    def register_check(self, name: str, fn: CheckFunction, critical: bool = True, timeout: float = 2) -> None:
        """Add a check, or replace the check of the same name.

        Args:
            name: lower-case letters, digits and underscores. The readiness endpoint shows it publicly.
            fn: a function, which runs in a thread, or a coroutine function. It fails if it raises or returns
                False. It may return "healthy", "degraded" or "unhealthy", alone or in a pair with a reason of
                one line, which is scrubbed and shown by the detailed endpoint only. Any other value is
                healthy.
            critical: whether the service cannot work without the component. Otherwise its failure only
                degrades the service, and a response does not wait for it.
            timeout: seconds, above 0 and at most 60, after which the check has failed.

        Raises:
            ValueError: the name or the timeout is not accepted.
            TypeError: ``fn`` is not callable.

        Example::

            >>> from tallow.monitoring.health import HEALTH
            >>> HEALTH.register_check("database", lambda: True, timeout=1)
            >>> HEALTH.unregister_check("database")
        """
        if not _CHECK_NAME.fullmatch(name):
            raise ValueError(
                f"the name of a check is {name!r}; accepted: 1 to 64 of a-z, 0-9, _, first a letter"
            )
        if not 0 < timeout <= MAX_TIMEOUT_SECONDS:
            limit = f"above 0, at most {MAX_TIMEOUT_SECONDS} seconds"
            raise ValueError(f"the timeout of a check is {timeout}; accepted: {limit}")
        if not callable(fn):
            raise TypeError(f"the check {name!r} is not callable")
        self._checks[name] = Check(name, fn, critical, timeout)
        self._report = None

    @property
    def draining(self) -> bool:
        """Whether the process is about to stop: readiness answers 503."""
        return DRAINING.draining()

    def unregister_check(self, name: str) -> None:
        """Remove a check. A name that is not registered is ignored.

        Args:
            name: of the check.

        Example::

            >>> from tallow.monitoring.health import HEALTH
            >>> HEALTH.unregister_check("not registered")
        """
        self._checks.pop(name, None)
        self._report = None

    async def warm_up(self) -> None:
        """Run all checks once, before the server accepts requests. The next report runs them again."""
        await self.report()
        self._report = None

    async def report(self) -> HealthReport:
        """Return the results of all checks, at most ``cache`` seconds old, within a second. Never raises.

        It waits for critical checks for at most :data:`PROBE_SECONDS`. The last result stands in for a check
        that has not answered by then.
        """
        if self._report is not None:
            left = self._report[0] - self._clock()
            if 0 < left <= self._ahead:
                self._start()
            if left > 0:
                return self._report[1]
        return await asyncio.shield(self._start())  # a cancelled request must not cancel the others'

    def _start(self) -> asyncio.Task[HealthReport]:
        """Start the checks, unless they are running."""
        loop = asyncio.get_running_loop()
        running = self._running
        if running is None or running.done() or running.get_loop() is not loop:
            running = self._running = loop.create_task(self._collect(), name="health")
        return running

    async def _collect(self) -> HealthReport:
        checks = list(self._checks.values())
        runs = {check: check.start() for check in checks}
        await _wait_for(runs)
        results = {check.name: check.result(run) for check, (run, _) in runs.items()}
        report = HealthReport(results, time.time())
        self._report = (self._clock() + self._cache, report)
        return report


_Runs = Mapping[Check, tuple[asyncio.Task[CheckResult] | None, bool]]


async def _wait_for(runs: _Runs) -> None:
    """Wait for critical checks, and briefly for the others."""
    started = time.monotonic()
    for seconds in (OPTIONAL_SECONDS, FIRST_SECONDS, PROBE_SECONDS):
        waited = {run for check, (run, new) in runs.items() if run and seconds <= _patience(check, new)}
        if waited:
            await asyncio.wait(waited, timeout=max(0.0, started + seconds - time.monotonic()))


def _patience(check: Check, new: bool) -> float:
    """Return the seconds to wait for a run, which has just been started if it is ``new``."""
    if check.critical:
        return PROBE_SECONDS
    if not new:
        return 0.0
    if not check.has_result:
        return FIRST_SECONDS
    return OPTIONAL_SECONDS if check.last_duration_s < OPTIONAL_SECONDS else 0.0


def _is_unhealthy(outcome: CheckResult) -> bool:
    return outcome.status is Status.UNHEALTHY
