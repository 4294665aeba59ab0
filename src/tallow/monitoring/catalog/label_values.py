"""Label values and bucket edges that several metrics share."""

from __future__ import annotations

from tallow.monitoring.catalog.declaration import Registered
from tallow.monitoring.catalog.model import OTHER

KIB = 1024.0
BYTE_DECADES = tuple(10.0**exponent for exponent in range(2, 9))

STATUSES = ("success", "failed")
OUTCOMES = ("success", "failed", "cancelled")
TRANSFER_METHODS = ("p2p", "relay")
PATHS = ("direct", "relay")
DIRECTIONS = ("sent", "received")
FILE_TYPES = ("image", "video", "audio", "text", "application", OTHER)
SIZE_CATEGORIES = ("under_1mb", "1mb_10mb", "10mb_100mb", "100mb_1gb", "over_1gb")
PQC_OPERATIONS = ("keygen", "encapsulate", "decapsulate")
CIPHERS = ("aes_256_gcm", "chacha20_poly1305")
CIPHER_OPERATIONS = ("encrypt", "decrypt")
ERROR_TYPES = ("network", "crypto", "transfer", "validation", "auth", "storage", "signaling", "internal")
SEVERITIES = ("low", "medium", "high", "critical")
HTTP_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER)
"""The values of the label ``method`` of HTTP requests.

Example:
    >>> "GET" in HTTP_METHODS
    True
"""
ROUTES = Registered(on_use=False)
OPEN_CONNECTION_ROUTES = Registered(OTHER, on_use=False, from_start=False)
STATUS_CLASSES = Registered("1xx", "2xx", "3xx", "4xx", "5xx", OTHER, on_use=False, from_start=False)
PIPELINES = ("logs", "sentry", "analytics", "client", "otel")

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
