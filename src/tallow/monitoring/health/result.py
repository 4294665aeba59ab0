"""The result of a check, and how the value that a check returned becomes one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tallow.monitoring.lazy_scrubber import scrub

MAX_REASON_CHARACTERS: Final = 200


class Status(StrEnum):
    """The status of a component or of the service.

    Example::

        >>> Status("degraded") is Status.DEGRADED
        True
    """

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


_STATUSES: Final = frozenset(map(str, Status))


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one run of a check.

    Args:
        status: of the component.
        critical: whether the service cannot work without the component.
        duration_s: of the run, in seconds.
        reason: why the component is not healthy, or None. Text of the check is scrubbed. Of an exception only
            the type is shown: its text may hold an address, a path or a password.
        age_s: seconds since the run ended, if the check has not answered this probe in time; else None.
        blocks_event_loop: whether the check blocked the event loop; it runs outside of it since then.

    Example::

        >>> CheckResult(Status.UNHEALTHY, critical=True, duration_s=0.02, reason="it raised OSError").status
        <Status.UNHEALTHY: 'unhealthy'>
    """

    status: Status
    critical: bool
    duration_s: float
    reason: str | None = None
    age_s: float | None = None
    blocks_event_loop: bool = False


def parse_result(found: Any) -> tuple[Status, str | None]:
    """Interpret what a check returned: a status, False or an exception, alone or in a pair with a reason."""
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], bool | str | BaseException):
        status, reason = _parse_status(found[0])
        return status, (_public_reason(found[1]) if isinstance(found[1], str) else None) or reason
    if isinstance(found, Mapping) and isinstance(found.get("status"), str):
        found = found["status"]
    return _parse_status(found)


def _parse_status(found: Any) -> tuple[Status, str | None]:
    problem = None
    if found is False:
        problem = "it returned False"
    elif isinstance(found, str):
        if found in _STATUSES:
            return Status(found), None
        problem = "it returned an unknown status"
    elif isinstance(found, BaseException):
        problem = f"it returned {type(found).__name__}"
    elif inspect.isgenerator(found) or inspect.isasyncgen(found):
        problem = "it is a generator, which does not run"
    return (Status.UNHEALTHY, problem) if problem else (Status.HEALTHY, None)


def _public_reason(text: str) -> str:
    """Return a check's reason as one scrubbed line of at most :data:`MAX_REASON_CHARACTERS`."""
    try:
        cleaned = scrub(" ".join(text[:MAX_REASON_CHARACTERS].split()))
    except Exception:  # noqa: BLE001 - without the scrubber the reason is not shown
        return "(the reason cannot be shown)"
    return cleaned[:MAX_REASON_CHARACTERS]
