"""Send one batch to the endpoint and interpret the response."""

from __future__ import annotations

import gzip
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx

from tallow.monitoring.integrations import http_client
from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.integrations.request_errors import warn_of_proxy_failure
from tallow.monitoring.lifecycle.delivery_notice import DeliveryNotice
from tallow.monitoring.lifecycle.warn_once import warn_once
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.settings.http_headers import parse_headers
from tallow.monitoring.shipping import loki
from tallow.monitoring.shipping.batch import ID_HEADER, Batch
from tallow.monitoring.shipping.refusals import RefusalNotice

REJECTED_STATUSES: Final = frozenset({400, 405, 406, 411, 413, 414, 415, 422, 431})
"""Statuses that concern the batch itself: it would be rejected again. Batches wait on other errors, such as
401 and 404, which the operator can correct."""
MAX_RETRY_AFTER_S: Final = 300.0
COMPRESSION_LEVEL: Final = 3
"""Higher levels take more time and save little."""
TENANT_HEADER: Final = "X-Scope-OrgID"
MAX_TEXT_BYTES: Final = 64 * 1024
"""How much of the text of a rejection is read."""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result of one attempt.

    Attributes:
        outcome: ``rejected`` batches must not be sent again.
        after_s: seconds that the endpoint asked to wait before the next attempt, or 0.
        rejected_lines: lines of a rejected batch that the endpoint has not stored.
    """

    outcome: Literal["sent", "rejected", "retry"]
    after_s: float = 0.0
    rejected_lines: int = 0


class Endpoint:
    """An HTTP client for the log endpoint.

    Args:
        settings: ``LOG_ENDPOINT`` and the settings that begin with it. The path of Loki's push API may be
            left out.
    """

    def __init__(self, settings: MonitoringSettings) -> None:
        url = settings.log_endpoint or ""
        self._loki = settings.log_endpoint_kind == "loki"
        bare = urlsplit(url).path in {"", "/"}
        self._url = url.rstrip("/") + loki.PUSH_PATH if self._loki and bare else url
        self._headers = _headers(settings)
        self._refusals = RefusalNotice(self._url)
        self._notice = DeliveryNotice("log lines")
        self._warnings: list[str] = []
        """Logged with the first batch: logging is not configured yet."""
        proxies = ProxySettings.read(warn=self._warnings.append)
        self._timeout_s = settings.log_endpoint_timeout
        self._client = http_client.client(proxies=proxies, timeout=self._timeout_s)

    def send(self, batch: Batch, within_s: float = math.inf) -> DeliveryResult:
        """Try once. Never raises. The response's body is read only if it is empty or tells what was rejected.

        Args:
            batch: the lines to send.
            within_s: upper limit in seconds of the timeout.
        """
        try:
            body = _compressed(batch.as_loki()) if self._loki else batch.as_json_lines()
        except (ValueError, KeyError, TypeError, AttributeError):  # a damaged spool file
            return DeliveryResult("rejected", rejected_lines=len(batch.lines))
        while self._warnings:
            warn_once(self._warnings.pop())
        try:
            headers = self._headers | {ID_HEADER: batch.id}
            timeout = min(self._timeout_s, within_s)
            with self._client.stream(
                "POST", self._url, content=body, headers=headers, timeout=timeout
            ) as response:
                return self._delivery_result(response, len(batch.lines), timeout)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
            # RuntimeError: the client is closed.
            warn_of_proxy_failure("log lines", error)
            self._notice.failed(type(error).__name__)
            return DeliveryResult("retry")

    def _delivery_result(self, response: httpx.Response, lines: int, timeout_s: float) -> DeliveryResult:
        status = response.status_code
        if response.is_success:
            self._refusals.record_success()
            self._notice.delivered()
            if status == httpx.codes.NO_CONTENT or response.headers.get("content-length") == "0":
                response.read()  # an empty body: the connection can be reused
            return DeliveryResult("sent")
        repeated = status not in REJECTED_STATUSES
        if repeated:
            self._notice.failed(f"status {status}")
            self._refusals.record_refusal(status, repeated=True)
            after_s = parse_retry_after(response.headers.get("retry-after", ""), time.time())
            return DeliveryResult("retry", after_s)
        rejected = lines
        if self._loki and status == httpx.codes.BAD_REQUEST:
            rejected = loki.rejected_line_count(_text(response, timeout_s), lines)
        if rejected < lines:
            self._refusals.record_success()
        else:
            self._notice.failed(f"status {status}")
            self._refusals.record_refusal(status, repeated=False)
        return DeliveryResult("rejected", rejected_lines=rejected)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _headers(settings: MonitoringSettings) -> dict[str, str]:
    """The headers of every request. Those with a setting of their own replace ``LOG_ENDPOINT_HEADERS``."""
    own = {"Accept-Encoding": "identity", "Content-Type": "application/x-ndjson"}
    if settings.log_endpoint_kind == "loki":
        own |= {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    if settings.log_endpoint_token:
        own["Authorization"] = f"Bearer {settings.log_endpoint_token.get_secret_value()}"
    if settings.log_endpoint_tenant:
        own[TENANT_HEADER] = settings.log_endpoint_tenant.get_secret_value()
    given = settings.log_endpoint_headers
    names = set(map(str.lower, own))
    more = parse_headers(given.get_secret_value()) if given else {}
    return {name: value for name, value in more.items() if name.lower() not in names} | own


def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, COMPRESSION_LEVEL, mtime=0)


def _text(response: httpx.Response, timeout_s: float) -> str:
    """The start of a response's text. A sender that is slow is not waited for."""
    read = bytearray()
    deadline = time.monotonic() + timeout_s
    with suppress(httpx.HTTPError):
        for part in response.iter_raw():
            read += part
            if len(read) >= MAX_TEXT_BYTES or time.monotonic() > deadline:
                break
    return read[:MAX_TEXT_BYTES].decode("utf-8", "replace")


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
