"""Deliver one event to Plausible, with retries.

Source: Plausible's Events API. It answers 202 to everything it understands; an event that it did not count (a
bot, an unknown site) shows only as the header ``x-plausible-dropped: 1``.
"""

from __future__ import annotations

import random
import threading
from typing import Final

import httpx

from tallow.monitoring.analytics.event import Event
from tallow.monitoring.integrations import http_client
from tallow.monitoring.integrations.request_errors import warn_of_proxy_failure
from tallow.monitoring.lifecycle.delivery_notice import DeliveryNotice
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

ATTEMPTS: Final = 3
BACKOFF_S: Final = 0.5
MAX_WAIT_S: Final = 30.0


class PlausibleClient:
    """An HTTP client for one Plausible.

    Args:
        settings: the settings that begin with ``PLAUSIBLE_``.
        stopping: ends the waits between attempts once it is set.
    """

    def __init__(self, settings: MonitoringSettings, stopping: threading.Event) -> None:
        self._url = f"{settings.plausible_host.rstrip('/')}/api/event"
        self._client = http_client.client(timeout=settings.plausible_timeout)
        self._stopping = stopping
        self._notice = DeliveryNotice("analytics events")
        self._cause = ""
        """Why the last attempt failed."""

    def deliver(self, event: Event) -> str | None:
        """Send an event, in up to :data:`ATTEMPTS` attempts.

        Returns:
            None, or why it was given up: ``failed``, ``rate_limited`` or ``rejected``.
        """
        reason: str | None = None
        for attempt in range(ATTEMPTS):
            if attempt and self._stopping.wait(_backoff(attempt)):
                break
            reason = _failure_reason(self._post(event))
            if reason is None or reason == "rejected":
                break
        if reason is None:
            self._notice.delivered()
        else:
            self._notice.failed(self._cause)
        return reason

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, event: Event) -> httpx.Response | None:
        try:
            response = self._client.post(self._url, json=event.body, headers=event.headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            warn_of_proxy_failure("analytics events", error)
            self._cause = type(error).__name__
            return None
        self._cause = f"status {response.status_code}"
        return response


def _backoff(attempt: int) -> float:
    """Seconds before an attempt: doubling, with jitter, so that servers do not all come back at once."""
    wait: float = BACKOFF_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    return min(wait, MAX_WAIT_S)


def _failure_reason(response: httpx.Response | None) -> str | None:
    """Why an event was not counted, or None if it was."""
    if response is None or response.status_code >= 500:
        return "failed"
    if response.status_code == 429:
        return "rate_limited"
    if not response.is_success or response.headers.get("x-plausible-dropped") == "1":
        return "rejected"
    return None
