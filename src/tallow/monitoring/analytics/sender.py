"""The way to Plausible: a bounded queue and one background thread, so that nobody ever waits for it.

Source: Plausible's Events API. It answers 202 to everything it understands; an event it did not count (a bot,
an unknown site) shows only as the header ``x-plausible-dropped: 1``.
"""

from __future__ import annotations

import atexit
import queue
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tallow.monitoring.metrics import Metrics
from tallow.monitoring.settings import MonitoringSettings

if TYPE_CHECKING:
    import httpx

ATTEMPTS: Final = 3
BACKOFF_S: Final = 0.5
MAX_WAIT_S: Final = 30.0
EXIT_S: Final = 2.0
PIPELINE: Final = "analytics"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its JSON body, and the headers by which Plausible tells visits (not in any text of it)."""

    body: dict[str, Any]
    headers: dict[str, str] = field(repr=False)


class Sender:
    """Sends events in order, each tried up to three times; the rest is counted.

    Args:
        backoff: seconds before the second attempt; doubled for the third, with jitter.
    """

    def __init__(self, settings: MonitoringSettings, metrics: Metrics, backoff: float = BACKOFF_S) -> None:
        self.settings = settings
        self._metrics = metrics
        self._backoff = backoff
        self._url = f"{settings.plausible_host.rstrip('/')}/api/event"
        self._queue: queue.Queue[Event | None] = queue.Queue(settings.plausible_queue_size)
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, event: Event) -> None:
        """Queue an event, or count it as given up where there is no room."""
        if self._stopping.is_set():
            self._metrics.record_dropped(PIPELINE, "failed")
            return
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._metrics.record_dropped(PIPELINE, "queue_full")
            return
        self._depth()
        if self._thread is None or not self._thread.is_alive():  # the first, or the first after a fork
            self._start()

    def flush(self, timeout: float) -> bool:
        """Wait until all is sent or given up: whether that was so within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        with self._queue.all_tasks_done:
            while self._queue.unfinished_tasks:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._queue.all_tasks_done.wait(left)
        return True

    def close(self, timeout: float) -> None:
        """Send what is queued for at most ``timeout`` seconds, count the rest, and stop."""
        atexit.unregister(self._at_exit)
        self.flush(timeout)
        self._stopping.set()
        self._give_up()
        self._queue.put(None)
        self._depth()

    def _give_up(self) -> None:
        """Drop what is queued, and count it."""
        while True:
            try:
                event = self._queue.get_nowait()
            except queue.Empty:
                break
            if event is not None:
                self._metrics.record_dropped(PIPELINE, "failed")
            self._queue.task_done()
        self._depth()

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = threading.Thread(target=self._work, name="tallow analytics", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is ending and starts none (Python 3.12.0 and 3.12.1)
                self._give_up()
                return
            atexit.unregister(self._at_exit)
            atexit.register(self._at_exit)

    def _at_exit(self) -> None:
        self.close(EXIT_S)

    def _work(self) -> None:
        from tallow.monitoring.integrations import http_client  # loads httpx, which only senders need

        with http_client.client(timeout=self.settings.plausible_timeout) as client:
            while (event := self._queue.get()) is not None:
                try:
                    reason = self._deliver(client, event)
                except Exception:  # noqa: BLE001 - one bad event must not end all later ones
                    reason = "failed"
                if reason is not None:
                    self._metrics.record_dropped(PIPELINE, reason)
                self._depth()
                self._queue.task_done()
        self._queue.task_done()

    def _deliver(self, client: httpx.Client, event: Event) -> str | None:
        """Send one event: None, or why it was given up."""
        reason: str | None = None
        for attempt in range(ATTEMPTS):
            if attempt and self._stopping.wait(self._pause(attempt)):
                break
            answer = self._ask(client, event)
            reason = _judge(answer)
            if reason is None or reason == "rejected":
                break
        return reason

    def _ask(self, client: httpx.Client, event: Event) -> httpx.Response | None:
        import httpx

        from tallow.monitoring.integrations.request_errors import warn_of_proxy

        try:
            return client.post(self._url, json=event.body, headers=event.headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            warn_of_proxy("analytics events", error)
            return None

    def _pause(self, attempt: int) -> float:
        """Seconds before an attempt: doubling, with jitter, so that servers do not come back all at once."""
        wait: float = self._backoff * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        return min(wait, MAX_WAIT_S)

    def _depth(self) -> None:
        self._metrics.set_telemetry_queue_depth(PIPELINE, self._queue.qsize())


def _judge(answer: httpx.Response | None) -> str | None:
    """Why an event was not counted, or None if it was."""
    if answer is None or answer.status_code >= 500:
        return "failed"
    if answer.status_code == 429:
        return "rate_limited"
    if not answer.is_success or answer.headers.get("x-plausible-dropped") == "1":
        return "rejected"
    return None
