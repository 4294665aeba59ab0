"""Liveness checks: detect a program that runs but no longer answers.

The checks begin once the program has been ready: neither a slow start nor the replay of a write-ahead log is
a hang. They use sockets directly, because an HTTP client would double the supervisor's memory.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallow.stack.engines.supervisor.state_files import SMTP, Probe

CHECKS_PER_TIMEOUT: Final = 12
"""With a timeout of 120 s there is a check every 10 s, and each may take 10 s."""
MIN_ANSWER_S: Final = 2.0
IDLE_S: Final = 2.0
"""Seconds between two readiness checks, and between two reads of a timeout that is 0."""
_MAX_LINE: Final = 1024


@dataclass(slots=True)
class FailureTimer:
    """Counts the seconds since a check began to fail."""

    failed_s: float = 0.0
    _last: float = 0.0

    def record(self, *, success: bool, started: float, ended: float, longest_step: float) -> None:
        """Add the result of a check. Times are in seconds of a monotonic clock.

        Args:
            longest_step: the most that one failure adds, in seconds. A supervisor that was suspended itself
                does not know whether the program answered meanwhile.
        """
        since = self._last if self.failed_s else started
        self.failed_s = 0.0 if success else self.failed_s + min(ended - since, longest_step)
        self._last = ended


class LivenessCheck:
    """Checks one process.

    Args:
        probe: the addresses that are requested.
        timeout: returns the seconds without an answer after which the program counts as unresponsive; 0
            switches the check off. Called before each check.
        report: called with a sentence when the check begins to fail and when the program answers again.
    """

    def __init__(self, probe: Probe, timeout: Callable[[], float], report: Callable[[str], None]) -> None:
        self._probe, self._timeout, self._report = probe, timeout, report
        self._timer = FailureTimer()

    async def wait_until_unresponsive(self) -> str:
        """Return when the checks have failed for the whole timeout, with a sentence that describes it."""
        was_ready = False
        while True:
            timeout = self._timeout()
            if not was_ready:
                await asyncio.sleep(IDLE_S)
                was_ready = not await probe_failure(
                    self._probe, self._probe.ready, MIN_ANSWER_S, authenticate=True, ready=True
                )
            elif timeout <= 0:
                self._timer = FailureTimer()
                await asyncio.sleep(IDLE_S)
            else:
                error = await self._check(timeout / CHECKS_PER_TIMEOUT)
                if self._timer.failed_s >= timeout:
                    return f"no answer for {self._timer.failed_s:.0f} s ({self._probe.alive}: {error})"

    async def _check(self, interval: float) -> str:
        """Wait for ``interval`` seconds and check once: the reason of a failure, empty on success."""
        await asyncio.sleep(interval)
        failed_before = self._timer.failed_s > 0
        answer_s = max(interval, MIN_ANSWER_S)
        started = time.monotonic()
        error = await probe_failure(self._probe, self._probe.alive, answer_s)
        self._timer.record(
            success=not error,
            started=started,
            ended=time.monotonic(),
            longest_step=interval + answer_s + 1,
        )
        if error and not failed_before:
            self._report(f"does not answer ({self._probe.alive}: {error})")
        elif failed_before and not error:
            self._report("answers again")
        return error


async def probe_failure(
    probe: Probe, path: str, seconds: float, *, authenticate: bool = False, ready: bool = False
) -> str:
    """Request a path once: the reason of a failure, empty on success.

    A status below 500 is a success: a program that requires a password or redirects is alive.

    Args:
        probe: the address.
        path: of the HTTP request, or :data:`SMTP`.
        seconds: the time limit.
        authenticate: send the password, if the probe has one.
        ready: accept only a status from 200 to 299.
    """
    try:
        async with asyncio.timeout(seconds):
            status = await _status(probe, path, authenticate=authenticate)
    except TimeoutError:
        return f"no answer within {seconds:.0f} s"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    is_success = 200 <= status < 300 if ready else status < 500
    return "" if is_success else f"answered {status}"


async def _status(probe: Probe, path: str, *, authenticate: bool) -> int:
    """The status of an HTTP response or of an SMTP greeting.

    Raises:
        OSError: the program cannot be reached, or its password cannot be read.
        ValueError: it does not answer, or not in this protocol.
    """
    reader, writer = await asyncio.open_connection(probe.host, probe.port, limit=_MAX_LINE)
    try:
        if path != SMTP:
            writer.write(_request(probe, path, authenticate=authenticate))
        line = await reader.readline()
    finally:
        writer.close()
    parts = line.replace(b"-", b" ").split()
    digits = parts[0 if path == SMTP else 1] if len(parts) > 1 else b""
    if not digits.isdigit():
        raise ValueError("it closed the connection" if not line else "its answer cannot be understood")
    return int(digits)


def _request(probe: Probe, path: str, *, authenticate: bool) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {probe.host}:{probe.port}", "Connection: close"]
    if authenticate and probe.password_file:
        password = Path(probe.password_file).read_text(encoding="utf-8")
        encoded = base64.b64encode(f"{probe.user}:{password}".encode()).decode()
        lines.append(f"Authorization: Basic {encoded}")
    return "\r\n".join([*lines, "", ""]).encode()
