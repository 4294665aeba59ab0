"""Send one batch to the endpoint and interpret the response."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx

from tallow.monitoring.integrations import http_client
from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.integrations.request_errors import warn_of_proxy_failure
from tallow.monitoring.lifecycle.warn_once import warn_once
from tallow.monitoring.shipping.batch import ID_HEADER, LOKI_PATH, Batch

Kind = Literal["loki", "http"]

REJECTED_STATUSES: Final = frozenset({400, 405, 406, 411, 413, 414, 415, 422, 431})
"""Statuses that concern the batch itself: it would be rejected again. Batches wait on other errors, such as
401 and 404, which the operator can correct."""
MAX_RETRY_AFTER_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result of one attempt.

    Attributes:
        outcome: ``rejected`` batches must not be sent again.
        after_s: seconds that the endpoint asked to wait before the next attempt, or 0.
    """

    outcome: Literal["sent", "rejected", "retry"]
    after_s: float = 0.0


class Endpoint:
    """An HTTP client for the log endpoint.

    Args:
        url: of the endpoint. The path of Loki's push API may be left out.
        kind: ``loki``, or ``http`` for JSON lines.
        token: sent as bearer token.
        timeout_s: seconds for connecting, for sending and for each wait for the response.
    """

    def __init__(self, url: str, kind: Kind, token: str | None, timeout_s: float) -> None:
        self._loki = kind == "loki"
        bare = urlsplit(url).path in {"", "/"}
        self._url = url.rstrip("/") + LOKI_PATH if self._loki and bare else url
        self._headers = {"Content-Type": "application/json" if self._loki else "application/x-ndjson"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._warnings: list[str] = []
        """Logged with the first batch: logging is not configured yet."""
        proxies = ProxySettings.read(warn=self._warnings.append)
        self._client = http_client.client(proxies=proxies, timeout=timeout_s)
        self._timeout_s = timeout_s

    def send(self, batch: Batch, within_s: float = math.inf) -> DeliveryResult:
        """Try once. Never raises. The response's body is read only if it is empty.

        Args:
            batch: the lines to send.
            within_s: upper limit in seconds of the timeout.
        """
        try:
            body = batch.as_loki() if self._loki else batch.as_json_lines()
        except (ValueError, KeyError, TypeError):  # a damaged spool file
            return DeliveryResult("rejected")
        while self._warnings:
            warn_once(self._warnings.pop())
        try:
            headers = {**self._headers, ID_HEADER: batch.id}
            timeout = min(self._timeout_s, within_s)
            with self._client.stream(
                "POST", self._url, content=body, headers=headers, timeout=timeout
            ) as response:
                if response.status_code == 204 or response.headers.get("content-length") == "0":
                    response.read()  # an empty body: the connection can be reused
                return _delivery_result(response)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
            # RuntimeError: the client is closed.
            warn_of_proxy_failure("log lines", error)
            return DeliveryResult("retry")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _delivery_result(response: httpx.Response) -> DeliveryResult:
    if response.is_success:
        return DeliveryResult("sent")
    if response.status_code in REJECTED_STATUSES:
        return DeliveryResult("rejected")
    return DeliveryResult("retry", parse_retry_after(response.headers.get("retry-after", ""), time.time()))


def parse_retry_after(text: str, now: float) -> float:
    """Return the seconds of a ``Retry-After`` header (RFC 9110, section 10.2.3), limited; 0 without one."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
