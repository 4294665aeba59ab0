"""Replace the path and query in uvicorn's access records by the route, and remove the client's address.

A path may hold a file's name or other text that no scrubber recognizes. uvicorn writes these records in the
context of the request, so the route template is known.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from tallow.monitoring import request_context
from tallow.monitoring.catalog import OTHER

ACCESS: Final = "uvicorn.access"
_WEBSOCKET: Final = '%s - "WebSocket %s"'


def render_access_record(record: logging.LogRecord) -> tuple[str, dict[str, Any]] | None:
    """Return the message and context of an access record, or None for any other record."""
    args = record.args
    if not isinstance(args, tuple):
        return None
    if record.name == ACCESS and len(args) == 5:
        _client, method, _path, version, status = args
        facts = {"method": method, "route": _route(), "status": status, "http_version": version}
        return f"{method} {facts['route']} {status}", facts
    if str(record.msg).startswith(_WEBSOCKET) and len(args) >= 2:
        route = _route()
        rest = str(record.msg)[len(_WEBSOCKET) :]
        return f"WebSocket {route}{rest % args[2:]}", {"route": route}
    return None


def _route() -> str:
    return request_context.route() or OTHER
