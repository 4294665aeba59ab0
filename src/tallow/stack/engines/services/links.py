"""The addresses of a stack's pages: for people, in messages and in runbooks."""

from __future__ import annotations

import re
from typing import Final

from tallow.stack.alerts import Links
from tallow.stack.engines.services.definitions import SERVICES, ports

_DEFAULT_PORTS: Final = frozenset(service.port for service in SERVICES)
_ADDRESS: Final = re.compile(r"\b(localhost|127\.0\.0\.1):(\d{1,5})\b")


def base_url(service: str, port_offset: int) -> str:
    """The address of a service's pages, without a trailing slash.

    Example:
        >>> base_url("dashboards", 10_000)
        'http://localhost:13001'
    """
    return f"http://localhost:{ports(port_offset)[service]}"


def message_links(port_offset: int) -> Links:
    """Where the links in alerts and messages of a stack lead."""
    return Links(f"{base_url('heartbeat', port_offset)}/runbooks", base_url("dashboards", port_offset))


def move_ports(text: str, port_offset: int) -> str:
    """A text about a stack without an offset, such as a runbook, for a stack with one.

    Addresses of this host with the port of a service are changed, others stay.

    Example:
        >>> move_ports("curl http://localhost:3000/", 10_000)
        'curl http://localhost:13000/'
    """

    def moved(found: re.Match[str]) -> str:
        port = int(found[2])
        return f"{found[1]}:{port + port_offset if port in _DEFAULT_PORTS else port}"

    return _ADDRESS.sub(moved, text)
