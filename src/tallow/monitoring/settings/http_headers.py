"""Settings for HTTP headers of an endpoint: ``Name=value`` pairs, and the tenant of a multi-tenant server."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, SecretStr

MAX_HEADERS: Final = 32
MAX_HEADER_BYTES: Final = 4096
"""Longest value of one header; servers accept 8 KiB for all headers."""

RESERVED: Final = frozenset(
    {
        *("connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "x-batch-id"),
    }
)
"""Headers that describe the request itself, which the sender sets."""

_PAIR: Final = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*[=:]\s*(.*?)\s*", re.DOTALL)
_VALUE: Final = re.compile(r"[!-~]([ \t!-~]*[!-~])?")
_TENANT: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9!_.*'()-]{1,150}")

HEADERS: Final = (
    "Name=value pairs separated by commas, such as X-Team=web,X-Key=abc; %2C stands for a comma in a value; "
    "no header that describes the request itself, such as Content-Type"
)
TENANTS: Final = "1 to 150 letters, digits, ! - _ . * ' ( ), not . or .."


def parse_headers(text: str) -> dict[str, str]:
    """Return the headers of a list of ``Name=value`` or ``Name: value`` pairs separated by commas.

    The format is that of ``OTEL_EXPORTER_OTLP_HEADERS``: values may be percent-encoded.

    Raises:
        ValueError: a pair has another form, a name occurs twice or is :data:`RESERVED`, or a value is empty
            or contains a control character or a character outside of ASCII.

    Example:
        >>> parse_headers("X-Team=web, Authorization=Basic%20abc=")
        {'X-Team': 'web', 'Authorization': 'Basic abc='}
    """
    headers: dict[str, str] = {}
    for pair in filter(str.strip, text.split(",")):
        match = _PAIR.fullmatch(pair)
        if match is None:
            raise ValueError("it is not a list of Name=value pairs")
        name, value = match[1], unquote(match[2])
        if name.lower() in RESERVED or name.lower() in map(str.lower, headers):
            raise ValueError("a header is reserved or occurs twice")
        if not _VALUE.fullmatch(value) or len(value) > MAX_HEADER_BYTES:
            raise ValueError("a header's value is empty, too long or not printable ASCII")
        headers[name] = value
    if not 0 < len(headers) <= MAX_HEADERS:
        raise ValueError(f"it does not contain 1 to {MAX_HEADERS} headers")
    return headers


def _check_headers(secret: SecretStr) -> SecretStr:
    parse_headers(secret.get_secret_value())
    return secret


def _check_tenant(value: Any) -> Any:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and not _TENANT.fullmatch(text):
        raise ValueError("it is not a tenant's id")
    return value


Headers = Annotated[SecretStr, AfterValidator(_check_headers)]
Tenant = Annotated[SecretStr, BeforeValidator(_check_tenant)]
"""An id as Loki accepts it in ``X-Scope-OrgID``."""
