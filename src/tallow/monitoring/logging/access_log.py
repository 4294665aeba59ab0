"""Replace paths in the records of servers and frameworks by the route, and leave out the client.

A path may hold a file's name or other text that no scrubber recognizes. Access records of uvicorn, hypercorn,
granian and gunicorn become a message of method, route and status. In every other record that is written while
a request is handled, the path of that request is replaced. In warnings of servers and frameworks each path is
replaced, because a request that could not be read has no route.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from tallow.monitoring import request_context
from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.catalog import OTHER

_UVICORN_ACCESS: Final = "uvicorn.access"
_ACCESS_LOGGERS: Final = frozenset({"hypercorn.access", "granian.access", "gunicorn.access"})
_WEBSOCKET: Final = '%s - "WebSocket %s"'
_SERVERS: Final = (
    "uvicorn",
    "hypercorn",
    "granian",
    "_granian",
    "gunicorn",
    "daphne",
    "django",
    "litestar",
    "quart",
    "falcon",
    "blacksheep",
    "starlette",
    "fastapi",
    "websockets",
    "h2",
    "h11",
)
"""Loggers of servers and frameworks, which write what a client sent."""

_METHODS: Final = frozenset(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"])
_PATH: Final = re.compile(r"(?<![\w.:/<\\])/[^\s\"'<>()\[\]{},;]*")
_MARK: Final = "\0"
"""Stands for the current request's path until all others are replaced."""

_UNREADABLE: Final = "Invalid request from ip="
"""gunicorn quotes what it could not read after this."""
_REQUEST_LINE: Final = re.compile(r"^[<>] [A-Z]+ |^[<>] [\w-]+: ")
"""websockets and h11 log lines and headers of a request in this form at level debug."""


def render_access_record(record: logging.LogRecord) -> tuple[str, dict[str, Any]] | None:
    """Return the message and context of a record that may hold a path, or None for any other record."""
    args = record.args
    if record.name == _UVICORN_ACCESS and isinstance(args, tuple) and len(args) == 5:
        _client, method, path, version, status = args
        return access_message(method, str(path), status, version)
    if record.name in _ACCESS_LOGGERS and isinstance(args, Mapping):
        return _from_atoms(args)
    if isinstance(args, tuple) and len(args) >= 2 and str(record.msg).startswith(_WEBSOCKET):
        route = _route(str(args[1]))
        return f"WebSocket {route}{_rest(record, args)}", {"route": route}
    return _without_paths(record)


def access_message(
    method: object, path: str, status: object, version: object = None, duration_ms: float | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the message and context of an access record.

    Args:
        method: of the request; unknown ones become ``other``.
        path: of the request, as the server logs it; only compared with that of a known request.
        status: of the response, as a number or as text.
        version: of HTTP, with or without ``HTTP/``.
        duration_ms: milliseconds that the response took.
    """
    route = _route(path)
    known = method if method in _METHODS else OTHER
    facts: dict[str, Any] = {"method": known, "route": route, "status": _number(status)}
    if version is not None:
        facts["http_version"] = str(version).removeprefix("HTTP/")
    if duration_ms is not None:
        facts["duration_ms"] = round(duration_ms, 1)
    return f"{known} {route} {facts['status']}", facts


def is_request(name: str, value: object) -> bool:
    """Whether a field of a record is a request of a framework, whose text form holds the path."""
    return name == "request" and not isinstance(value, str | int | float | bool | Mapping | None)


def _from_atoms(atoms: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Read the values for an access log's format: granian's names, or hypercorn's and gunicorn's letters."""
    if "dt_ms" in atoms:
        return access_message(
            atoms["method"], atoms["path"], atoms["status"], atoms["protocol"], atoms["dt_ms"]
        )
    return access_message(atoms["m"], str(atoms["U"]), atoms["s"], atoms["H"], int(atoms["D"]) / 1000)


def _number(status: object) -> int | None:
    """Return a status code; None if there is none, as for a WebSocket."""
    text = str(status)
    return int(text) if text.isascii() and text.isdigit() else None


def _rest(record: logging.LogRecord, args: tuple[object, ...]) -> str:
    rest = str(record.msg)[len(_WEBSOCKET) :]
    try:
        return rest % args[2:]
    except (TypeError, ValueError):
        return ""


def _route(path: str) -> str:
    """Return the route of the current request, or of the last one of this connection if it had this path."""
    if request_context.current() is not None:
        return request_context.route() or OTHER
    scope, route_of = request_context.finished()
    if scope is None or route_of is None or path.partition("?")[0] not in _spellings(scope):
        return OTHER
    return route_of(scope) or OTHER


def _without_paths(record: logging.LogRecord) -> tuple[str, dict[str, Any]] | None:
    """Return the message without paths, or None if it has none."""
    scope = request_context.current()
    server = record.name.partition(".")[0] in _SERVERS
    if scope is None and not server:
        return None
    try:
        before = record.getMessage()
        message = _format(record) if server else before
    except Exception:  # noqa: BLE001 - a __str__ of the host may raise anything
        return None
    if scope is not None:
        message = _mark_path(message, scope)
    if server:
        message = _without_client_text(record, message)
    if _MARK in message:
        message = message.replace(_MARK, request_context.route() or OTHER)
    return None if message == before else (message, {})


def _format(record: logging.LogRecord) -> str:
    """Return the message of a server with a mark or ``other`` for each argument that is a path.

    A path may hold blanks and quotes: only an argument shows where it ends.
    """
    if not record.args or not isinstance(record.args, tuple) or record.levelno < logging.WARNING:
        return record.getMessage()
    known = _MARK if request_context.current() is not None else OTHER
    return str(record.msg) % tuple(known if _is_path(value) else value for value in record.args)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value.startswith("/")


def _mark_path(message: str, scope: Scope) -> str:
    """Replace the path and query of the current request by a mark."""
    found = [path for path in _spellings(scope) if len(path) > 1 and path in message]
    if not found:
        return message
    longest_first = "|".join(re.escape(path) for path in sorted(found, key=len, reverse=True))
    return re.sub(rf"(?:{longest_first})(?![\w/])(\?[^\s\"']*)?", _MARK, message)


def _without_client_text(record: logging.LogRecord, message: str) -> str:
    """Remove what a client sent from a record of a server or framework."""
    if message.startswith(_UNREADABLE):
        return re.split(r":?\s*[\"'{\[(<]|: b", message, maxsplit=1)[0]
    if record.levelno <= logging.DEBUG and _REQUEST_LINE.match(message):
        return "Request line or header"
    if record.levelno >= logging.WARNING or record.name == "django.server":
        return _PATH.sub(OTHER, message)
    return message


def _spellings(scope: Scope) -> set[str]:
    """Return the forms in which servers and frameworks write a request's path."""
    return set(_paths(scope))


def _paths(scope: Scope) -> Iterator[str]:
    path = scope.get("path", "")
    raw = scope.get("raw_path") or b""
    root = scope.get("root_path", "")
    yield from (path, quote(path), raw.decode("latin-1").partition("?")[0])
    if root and path.startswith(root):
        yield path[len(root) :]
    elif root:
        yield root + path
