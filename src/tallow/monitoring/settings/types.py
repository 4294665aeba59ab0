"""Types of settings that several packages share.

Their validators raise ``ValueError``; the error for the operator has the field's ``description``.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

_TOKEN: Final = re.compile(r"[!-~]{16,}")
_HOST_NAME: Final = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?"
)


def matching(pattern: re.Pattern[str]) -> BeforeValidator:
    """Return a validator that rejects text, secret or not, unless the pattern matches all of it."""

    def check(value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and not pattern.fullmatch(text):
            raise ValueError("it does not have that form")
        return value

    return BeforeValidator(check)


def check_http_url(value: Any) -> Any:
    """Reject what is not an ``http://`` or ``https://`` URL with valid host and port and without fragment."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str):
        return value
    if not re.fullmatch(r"(?i)https?://[!-~]+", text):
        raise ValueError("not an HTTP URL")
    parts = urlsplit(text)  # raises ValueError for unbalanced brackets
    if not parts.hostname or parts.fragment or not is_host(parts.hostname):
        raise ValueError("no valid host")
    if parts.port == 0:  # raises ValueError above 65535
        raise ValueError("port 0")
    return value


def check_url_without_query(value: Any) -> Any:
    """Reject what :func:`check_http_url` rejects, and a query."""
    if isinstance(value, str) and "?" in value:
        raise ValueError("it has a query")
    return check_http_url(value)


def check_url_without_password(value: Any) -> Any:
    """Reject what :func:`check_http_url` rejects, and a user or password."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str) and "@" in text.partition("://")[2].partition("/")[0]:
        raise ValueError("it contains a user or a password")
    return check_http_url(value)


def is_host(text: str) -> bool:
    """Whether a text is a host name or an IP address without brackets."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST_NAME.fullmatch(text) is not None and not re.fullmatch(r"[\d.]+", text)
    return True


def _host(value: str) -> str:
    bare = value.removeprefix("[").removesuffix("]")
    if not is_host(bare):
        raise ValueError("not a host")
    return bare


Token = Annotated[SecretStr, matching(_TOKEN)]
Url = Annotated[str, BeforeValidator(check_url_without_query)]
SecretUrl = Annotated[SecretStr, BeforeValidator(check_http_url)]
UrlWithoutPassword = Annotated[str, BeforeValidator(check_url_without_password)]
Host = Annotated[str, AfterValidator(_host)]
"""A host name or an IP address; brackets around an IPv6 address are removed."""
Port = Annotated[int, Field(ge=1, le=65535)]

TOKENS: Final = "at least 16 printable characters without a space"
URLS: Final = "an address that starts with https:// or http://, without query"
PORTS: Final = "a port, 1 to 65535"
