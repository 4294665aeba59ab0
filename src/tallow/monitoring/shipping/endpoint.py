"""One attempt to hand a batch to the endpoint, and what its answer means."""

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
"""Answers about the batch itself: the same again would be refused again. A missing page or a wrong token is
the operator's to mend, and the batches wait for that."""
MAX_RETRY_AFTER_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What became of an attempt: sent, refused for good, or to be tried again, not before ``after_s`` if the
    endpoint said so."""

    outcome: Literal["sent", "refused", "again"]
    after_s: float = 0.0


class Endpoint:
    """Where batches go.

    Args:
        url: of the endpoint; Loki's may be given without the push API's path.
        kind: loki or http (JSON lines).
        token: sent as bearer token.
        timeout_s: for connecting, sending and each wait for the answer.
    """

    def __init__(self, url: str, kind: Kind, token: str | None, timeout_s: float) -> None:
        self._loki = kind == "loki"
        bare = urlsplit(url).path in {"", "/"}
        self._url = url.rstrip("/") + LOKI_PATH if self._loki and bare else url
        self._headers = {"Content-Type": "application/json" if self._loki else "application/x-ndjson"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._warnings: list[str] = []
        """Logged with the first batch: logging is not set up yet."""
        proxies = ProxySettings.read(warn=self._warnings.append)
        self._client = http_client.client(proxies=proxies, timeout=timeout_s)
        self._timeout_s = timeout_s

    def send(self, batch: Batch, within_s: float = math.inf) -> DeliveryResult:
        """Try once. Never raises; the answer's body is not read further than needed.

        Args:
            within_s: seconds that each step may take at most, where that is less than the timeout.
        """
        try:
            body = batch.as_loki() if self._loki else batch.as_json_lines()
        except (ValueError, KeyError, TypeError):  # a spool file that is no log any more
            return DeliveryResult("refused")
        while self._warnings:
            warn_once(self._warnings.pop())
        try:
            headers = {**self._headers, ID_HEADER: batch.id}
            timeout = min(self._timeout_s, within_s)
            with self._client.stream(
                "POST", self._url, content=body, headers=headers, timeout=timeout
            ) as response:
                if response.status_code == 204 or response.headers.get("content-length") == "0":
                    response.read()  # nothing: the connection can be used again
                return _delivery_result(response)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
            # RuntimeError: the client is closed.
            warn_of_proxy_failure("log lines", error)
            return DeliveryResult("again")

    def close(self) -> None:
        """Close connections."""
        self._client.close()


def _delivery_result(response: httpx.Response) -> DeliveryResult:
    if response.is_success:
        return DeliveryResult("sent")
    if response.status_code in REJECTED_STATUSES:
        return DeliveryResult("refused")
    return DeliveryResult("again", parse_retry_after(response.headers.get("retry-after", ""), time.time()))


def parse_retry_after(text: str, now: float) -> float:
    """The seconds a ``Retry-After`` header asks for (RFC 9110, section 10.2.3), bounded; 0 for none."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
