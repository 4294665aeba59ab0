"""Reduce what spans and breadcrumbs tell about calls to other systems.

The SDK describes a request with its URL, a query with its SQL, a cache access with its key and a process
with its command line. Paths, literals, keys and arguments name files and persons in any form, which no
scrubber can recognize. Kept are the host, the statement without literals, and the name of the command.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from tallow.monitoring.catalog import OTHER

Record = dict[str, Any]

_URL: Final = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{0,20}://[^\s\"'<>]*")
_LITERAL: Final = re.compile(
    r"""
    (?P<identifier>(?i:\b(?:FROM|JOIN|INTO|UPDATE|TABLE|AS)\s+|\.)"\w+" | "\w+"(?=\.))
    | --[^\n]* | /\*.*?(?:\*/|\Z)                     # comments
    | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)          # PostgreSQL: $$text$$
    | '(?:[^'\\]|\\.|'')*(?:'|\\?\Z)                  # text; the SDK may have cut it off
    | "(?:[^"\\]|\\.|"")*(?:"|\\?\Z)                  # MySQL's text; elsewhere an identifier
    | \b\d[\w.]*                                      # numbers
    """,
    re.DOTALL | re.VERBOSE,
)
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_.]{0,30}")
_PROGRAM: Final = re.compile(r"(?:\S*/)?([A-Za-z][\w.-]{0,40})(?=\s|$)")

_SQL_OPERATION: Final = re.compile(r"(?i)\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|BEGIN|COMMIT|ROLLBACK)\b")
_HTTP_CATEGORIES: Final = frozenset({"http", "httplib", "httpx", "aiohttp", "requests", "urllib3"})
_ORIGIN_FIELDS: Final = frozenset({"url", "http.url", "url.full", "server.url"})
_STATEMENT_FIELDS: Final = frozenset({"db.statement", "db.query.text", "db.query.summary"})

PRIVATE_FIELDS: Final = frozenset(
    {
        *("http.query", "http.fragment", "url.query", "url.fragment", "reason", "query_string"),
        *("http.target", "http.path", "url.path", "path", "raw_path", "full_path", "file.path", "filename"),
        *("user_agent.original", "http.user_agent", "user_agent", "user-agent", "http.referer", "referer"),
        *("client.address", "http.client_ip", "net.peer.ip", "net.sock.peer.addr", "network.peer.address"),
        *("subprocess.cwd", "cwd", "process.command_line", "process.command_args", "sys.argv", "argv"),
        *("redis.key", "db.redis.key", "cache.key", "db.params", "db.query.parameters", "db.paramstyle"),
        *("db.mongodb.collection_filter", "messaging.message.body", "messaging.destination.name"),
    }
)
"""Fields of the data of a call that hold paths, keys, arguments or facts about a client."""

CONNECTION_PATHS: Final = ("direct", "relay")
"""Values of the field ``path`` that ``monitor_connection`` sets."""


def origin(url: str) -> str:
    """Return the scheme, host and port of a URL.

    Example:
        >>> origin("https://user:secret@storage.example.org:8443/alice/diary.txt?page=1")
        'https://storage.example.org:8443'
    """
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else OTHER
    except ValueError:
        return OTHER


def without_literals(statement: str) -> str:
    """Return an SQL statement with a ``?`` for each literal and without comments.

    Example:
        >>> without_literals("SELECT id FROM files WHERE name = 'diary.txt' AND size > 12 -- Alice's")
        'SELECT id FROM files WHERE name = ? AND size > ? '
    """
    return _LITERAL.sub(_placeholder, statement)


def _placeholder(found: re.Match[str]) -> str:
    if found["identifier"]:
        return found[0]
    return "" if found[0][:2] in {"--", "/*"} else "?"


def without_private_fields(data: Record) -> Record:
    """Return the data of a call without :data:`PRIVATE_FIELDS` and literals, and with origins for URLs."""
    kept = {}
    for name, value in data.items():
        lowered = str(name).lower()
        if not _is_private(lowered, value):
            kept[name] = _reduced(lowered, value) if isinstance(value, str) else value
    return kept


def _is_private(field: str, value: object) -> bool:
    if field == "path" and value in CONNECTION_PATHS:
        return False
    return field in PRIVATE_FIELDS or field.startswith(("db.query.parameter.", "http.request.header."))


def _reduced(field: str, value: str) -> str:
    if field in _ORIGIN_FIELDS:
        return origin(value)
    return without_literals(value) if field in _STATEMENT_FIELDS else value


def describe_span(span: Record) -> Record:
    """Return a span whose description and name tell no path, literal, key or argument."""
    operation = str(span.get("op") or "")
    found = span.get("data")
    data = found if isinstance(found, dict) else {}
    return {
        name: _description(operation, str(data.get("db.system") or ""), value)
        if name in {"description", "name"} and isinstance(value, str)
        else value
        for name, value in span.items()
    }


def describe_breadcrumb(crumb: Record) -> Record:
    """Return a breadcrumb whose message tells no path, literal, key or argument."""
    category, message = str(crumb.get("category") or ""), crumb.get("message")
    if not isinstance(message, str):
        return crumb
    if category == "query":
        message = without_literals(message)
    elif category in {"redis", "subprocess"}:
        message = _description(category, category, message)
    elif category.partition(".")[0] in _HTTP_CATEGORIES:
        message = _URL.sub(lambda found: origin(found[0]), message)
    return {**crumb, "message": message}


def _description(operation: str, system: str, text: str) -> str:
    kind = "redis" if system == "redis" or operation == "db.redis" else operation.partition(".")[0]
    if kind == "db" and system != "mongodb" and _SQL_OPERATION.match(text):
        return without_literals(text)
    if kind in {"db", "redis"}:
        return _word(text)
    if kind in {"cache", "file"}:
        return operation
    if kind in {"subprocess", "process"}:
        found = _PROGRAM.match(text)
        return found[1] if found else OTHER
    return _URL.sub(lambda found: origin(found[0]), text)


def _word(text: str) -> str:
    """The first word of a command, such as GET of a command to Redis."""
    found = _WORD.match(text)
    return found[0] if found else OTHER
