"""Whether a running program still answers, and how long it may fail to before it counts as hung.

The check begins when the program has been ready once: neither a slow start nor the replay of a write-ahead
log is a hang. It speaks to sockets directly, since an HTTP client would double the supervisor's memory.
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
"""A timeout of two minutes means a check every ten seconds, each of which may take ten."""
MIN_ANSWER_S: Final = 2.0
IDLE_S: Final = 2.0
"""Between two questions for readiness, and between two looks at a check that is switched off."""
_MAX_LINE: Final = 1024


@dataclass(slots=True)
class FailureTimer:
    """For how many seconds a check has failed without a success in between."""

    failed_s: float = 0.0
    _last: float = 0.0

    def record(self, *, success: bool, started: float, ended: float, longest_step: float) -> None:
        """Take a result into account. Times are in seconds, of any clock that does not go back.

        Args:
            longest_step: what one failure adds at most: a supervisor that was itself stopped for a while does
                not know how the program did meanwhile.
        """
        since = self._last if self.failed_s else started
        self.failed_s = 0.0 if success else self.failed_s + min(ended - since, longest_step)
        self._last = ended


class LivenessCheck:
    """Checks one process.

    Args:
        probe: where it is asked.
        timeout: for how many seconds the check may fail; 0 switches it off. Asked before each check.
        report: told in a sentence when the check begins to fail, and when the program answers again.
    """

    def __init__(self, probe: Probe, timeout: Callable[[], float], report: Callable[[str], None]) -> None:
        self._probe, self._timeout, self._report = probe, timeout, report
        self._timer = FailureTimer()

    async def wait_until_unresponsive(self) -> str:
        """Return when the program has failed the check for too long: a sentence that says so."""
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
        """Wait for so many seconds and ask: why it failed, empty if it did not."""
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
    """Ask a program; why that failed, empty if it did not.

    Every answer shows that it lives, save those from 500 on. A program that asks for a password lives.

    Args:
        path: of the HTTP request, or :data:`SMTP`.
        seconds: in which the answer must be there.
        authenticate: send the password, if there is one.
        ready: only an answer from 200 to 299 will do.
    """
    try:
        async with asyncio.timeout(seconds):
            status = await _status(probe, path, authenticate=authenticate)
    except TimeoutError:
        return f"no answer within {seconds:.0f} s"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    good = 200 <= status < 300 if ready else status < 500
    return "" if good else f"answered {status}"


async def _status(probe: Probe, path: str, *, authenticate: bool) -> int:
    """The status of an HTTP answer, or of an SMTP greeting.

    Raises:
        OSError: it cannot be reached, or its password cannot be read.
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
