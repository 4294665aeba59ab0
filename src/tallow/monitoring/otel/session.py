"""The HTTP session of the official OTLP exporters: one attempt, within a deadline, and its outcome.

The exporters would repeat a request themselves, wait meanwhile, log the text of exceptions and ignore partial
success. Here an attempt that failed is an error that they do not repeat; ``sender.py`` decides.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from typing import Any, Final, Literal

import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from requests.adapters import HTTPAdapter

from tallow.monitoring.integrations.proxy import ProxySettings

MAX_RESPONSE: Final = 64 * 1024
RETRYABLE: Final = frozenset({429, 502, 503, 504})
"""Source: OTLP specification, "Failures"."""
_RESPONSES: Final[dict[str, tuple[Any, str]]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt.

    Attributes:
        kind: whether it is done, to be repeated, or refused for good.
        why: a few words without private data.
        rejected: items that the endpoint did not take although it accepted the request.
        after_s: seconds to wait at least, as the endpoint says.
    """

    kind: Literal["sent", "retry", "refused"]
    why: str = ""
    rejected: int = 0
    after_s: float = 0.0


class AttemptError(Exception):
    """An attempt failed. The exporters do not repeat it."""


class OtlpSession(requests.Session):
    """A session for one exporter.

    Args:
        signal: ``metrics``, ``logs`` or ``traces``.

    Attributes:
        deadline: on the monotonic clock; no attempt takes longer.
        outcome: of the last attempt.
    """

    def __init__(self, signal: str) -> None:
        super().__init__()
        self.trust_env = False
        self._signal = signal
        self.deadline = math.inf
        self.outcome = Outcome("refused", "the data could not be encoded")
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request once and keep its outcome.

        Raises:
            AttemptError: it failed; the exporter does not repeat it.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.outcome = Outcome("retry", "no time is left")
            raise AttemptError
        limit = min(options.pop("timeout", None) or left, left)
        try:
            response = self._send_once(method, url, limit, options)
        except (ValueError, requests.exceptions.InvalidHeader) as error:  # an invalid address is a ValueError
            self.outcome = Outcome("refused", type(error).__name__)
            raise AttemptError from None
        except (requests.RequestException, OSError) as error:
            self.outcome = Outcome("retry", type(error).__name__)
            raise AttemptError from None
        if self.outcome.kind != "sent":
            raise AttemptError
        return response

    def _send_once(self, method: str, url: str, limit: float, options: dict[str, Any]) -> requests.Response:
        proxy = ProxySettings.read(socks=None).proxy_for(url)
        if self.verify is True:
            options["verify"] = os.environ.get("SSL_CERT_FILE") or True
        proxies = {"http": proxy.url, "https": proxy.url} if proxy else {}
        options |= {"timeout": limit, "stream": True, "proxies": proxies}
        with super().request(method, url, **options) as response:
            body = response.raw.read(MAX_RESPONSE, decode_content=True)
        self.outcome = self._outcome_of(response, body)
        return response

    def _outcome_of(self, response: requests.Response, body: bytes) -> Outcome:
        status = response.status_code
        if status in RETRYABLE:
            return Outcome("retry", f"status {status}", after_s=_seconds(response.headers.get("retry-after")))
        if not 200 <= status < 300:
            return Outcome("refused", f"status {status}")
        return Outcome("sent", rejected=self._rejected(body))

    def _rejected(self, body: bytes) -> int:
        """Return how many items a partial success names; 0 for a response of another form."""
        message, name = _RESPONSES[self._signal]
        try:
            return max(0, int(getattr(message.FromString(body).partial_success, name)))
        except Exception:  # noqa: BLE001 - protobuf's DecodeError has several implementations
            return 0


def _seconds(text: str | None) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        return 0.0
    return min(60.0, max(0.0, seconds)) if math.isfinite(seconds) else 0.0
