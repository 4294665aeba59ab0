"""Labels and bucket edges that several metrics share."""

from __future__ import annotations

from tallow.monitoring.catalog.model import OTHER, Label, closed, registered

KIB = 1024.0
BYTE_DECADES = tuple(10.0**exponent for exponent in range(2, 9))

STATUS = closed("status", "success", "failed")
OUTCOME = closed("status", "success", "failed", "cancelled")
METHOD = closed("method", "p2p", "relay")
PATH = closed("type", "direct", "relay")
DIRECTION = closed("direction", "sent", "received")
FILE_TYPE = closed("file_type", "image", "video", "audio", "text", "application", OTHER)
SIZE_CATEGORY = closed("size_category", "under_1mb", "1mb_10mb", "10mb_100mb", "100mb_1gb", "over_1gb")
PQC_OPERATION = closed("operation", "keygen", "encapsulate", "decapsulate")
CIPHER = closed("algorithm", "aes_256_gcm", "chacha20_poly1305")
CIPHER_OPERATION = closed("operation", "encrypt", "decrypt")
ERROR_TYPE = closed(
    "type", "network", "crypto", "transfer", "validation", "auth", "storage", "signaling", "internal"
)
SEVERITY = closed("severity", "low", "medium", "high", "critical")
HTTP_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER)
"""The values of the label ``method`` of HTTP requests.

Example:
    >>> "GET" in HTTP_METHODS
    True
"""
HTTP_METHOD = closed("method", *HTTP_METHODS)
ROUTE = registered("route")
OPEN_CONNECTION_ROUTE = Label("route", (OTHER,), registered=True, lazy=True)
STATUS_CLASS = Label("status_code", ("1xx", "2xx", "3xx", "4xx", "5xx", OTHER), registered=True, lazy=True)
PIPELINE = closed("pipeline", "logs", "sentry", "analytics", "client", "otel")

API_ERROR_CODES = ("400", "401", "403", "404", "413", "429", "500", "503")
"""HTTP status codes that ``api_errors_total`` counts separately; others are counted as ``other``.

Example:
    >>> "429" in API_ERROR_CODES
    True
"""

PII_KINDS = (
    "email",
    "ip",
    "mac",
    "phone",
    "card",
    "iban",
    "ssn",
    "jwt",
    "credential",
    "api_key",
    "private_key",
    "url",
    "cookie",
    "secret",
    "path",
    "share_link",
    "room_code",
    "file_name",
    "geo",
    "user",
)
"""The kinds of private data that the scrubber distinguishes: the values of the label ``kind``.

Example:
    >>> "email" in PII_KINDS
    True
"""
