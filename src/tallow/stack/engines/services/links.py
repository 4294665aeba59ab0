"""The addresses of a stack's pages, for links in messages and runbooks."""

from __future__ import annotations

import re
from typing import Final

from tallow.stack.alerts import Links
from tallow.stack.deployment import PORTS, native

_DEFAULT_PORTS: Final = frozenset(PORTS.values())
_ADDRESS: Final = re.compile(r"\b(localhost|127\.0\.0\.1):(\d{1,5})\b")


def base_url(service: str, port_offset: int) -> str:
    """The address of a service's pages, without a trailing slash.

    Example:
        >>> base_url("dashboards", 10_000)
        'http://localhost:13001'
    """
    return native(port_offset).base_urls[service]


def message_links(port_offset: int) -> Links:
    """The base addresses of the links in alerts and messages of a stack."""
    return Links.of(native(port_offset))


def move_ports(text: str, port_offset: int) -> str:
    """Add the port offset to every address of a service in a text, such as a runbook.

    Only addresses of this host with the default port of a service are changed.

    Example:
        >>> move_ports("curl http://localhost:3000/", 10_000)
        'curl http://localhost:13000/'
    """

    def moved(match: re.Match[str]) -> str:
        port = int(match[2])
        return f"{match[1]}:{port + port_offset if port in _DEFAULT_PORTS else port}"

    return _ADDRESS.sub(moved, text)
