"""All checks together: run at once, kept for a moment, and shared by everybody who asks meanwhile."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tallow.monitoring.health import builtin_checks
from tallow.monitoring.health.check import Check, CheckFunction, CheckResult, Status

CACHE_SECONDS: Final = 1.0
"""Seconds a report is good for: however many probes ask, each check runs about once in this time."""

MAX_TIMEOUT_SECONDS: Final = 60
_CHECK_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What every check found, by name; ``taken`` is in seconds since the Unix epoch."""

    results: Mapping[str, CheckResult]
    taken_at: float

    @property
    def failing(self) -> list[str]:
        """The critical components that are unhealthy: with any of these the service is not ready."""
        return [name for name, found in self.results.items() if found.critical and _is_unhealthy(found)]

    @property
    def degraded(self) -> list[str]:
        """The components that are worse than healthy and yet keep nothing from being served."""
        failing = set(self.failing)
        worse = (name for name, found in self.results.items() if found.status is not Status.HEALTHY)
        return [name for name in worse if name not in failing]

    @property
    def status(self) -> Status:
        """The whole: unhealthy with a critical component that is, degraded with any that is not healthy."""
        if self.failing:
            return Status.UNHEALTHY
        return Status.DEGRADED if self.degraded else Status.HEALTHY


class Health:
    """The checks of one application. ``environment`` and ``memory`` are among them from the start.

    Args:
        cache: seconds a report is good for.
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, cache: float = CACHE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._clock = clock
        self._checks: dict[str, Check] = {}
        self._report: tuple[float, HealthReport] | None = None
        self._running: asyncio.Task[HealthReport] | None = None
        self.register_check("environment", builtin_checks.check_environment)
        self.register_check("memory", builtin_checks.check_memory)

    def register_check(self, name: str, fn: CheckFunction, critical: bool = True, timeout: float = 2) -> None:
        """Have ``fn`` asked how a component is; a check of the same name is replaced.

        Args:
            name: lower-case letters, digits and underscores; it is shown to anybody who asks for readiness.
            fn: sync (it gets a thread) or async. It fails by raising or returning False; it may return
                "healthy", "degraded" or "unhealthy", alone or in a pair with one line that says why (it is
                scrubbed, and shown in the detailed answer alone); anything else means that all is well.
            critical: whether the service cannot work without it; otherwise its failure degrades the whole.
            timeout: seconds, above 0 and at most 60, after which it has failed.

        Raises:
            ValueError: the name or the timeout is not of that form.
            TypeError: ``fn`` cannot be called.
        """
        if not _CHECK_NAME.fullmatch(name):
            raise ValueError(f"a check's name is 1 to 64 of a-z, 0-9 and _, from a letter; not {name!r}")
        if not 0 < timeout <= MAX_TIMEOUT_SECONDS:
            raise ValueError(
                f"a check's timeout is above 0 and at most {MAX_TIMEOUT_SECONDS} seconds; not {timeout}"
            )
        if not callable(fn):
            raise TypeError(f"the check {name!r} is not a function")
        self._checks[name] = Check(name, fn, critical, timeout)
        self._report = None

    def unregister_check(self, name: str) -> None:
        """Ask no longer; a name that is not registered is let be."""
        self._checks.pop(name, None)
        self._report = None

    async def report(self) -> HealthReport:
        """What the checks found, at most ``cache`` seconds ago."""
        if self._report is not None and self._clock() < self._report[0]:
            return self._report[1]
        loop = asyncio.get_running_loop()
        running = self._running
        if running is None or running.done() or running.get_loop() is not loop:
            running = self._running = loop.create_task(self._collect(), name="health")
        return await asyncio.shield(running)  # whoever goes away takes the answer from nobody else

    async def _collect(self) -> HealthReport:
        checks = list(self._checks.values())
        outcomes = await asyncio.gather(*(check.run() for check in checks))
        found = zip((check.name for check in checks), outcomes, strict=True)
        report = HealthReport(dict(found), time.time())
        self._report = (self._clock() + self._cache, report)
        return report


def _is_unhealthy(outcome: CheckResult) -> bool:
    return outcome.status is Status.UNHEALTHY
