"""Scrub everything that the SDK sends: events, transactions, breadcrumbs, logs and metrics.

Sentry's own scrubber matches whole keys only. It leaves messages, exception texts, URLs and transaction names
unchanged. These hooks scrub every section. Sentry's own fields (ids, times, frames) keep their format, or
Sentry would reject the event. Data about users and the content of requests are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from tallow.monitoring import correlation, request_context
from tallow.monitoring.catalog import OTHER
from tallow.monitoring.lazy_scrubber import scrub
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.sentry.local_variables import without_content
from tallow.monitoring.sentry.operation_scrubbing import (
    describe_breadcrumb,
    describe_span,
    without_private_fields,
)

Record = dict[str, Any]

_SENTRY_FIELDS: Final = frozenset(
    {
        *("event_id", "timestamp", "start_timestamp", "time_unix_nano", "type", "level", "platform"),
        *("trace_id", "span_id", "parent_span_id", "same_process_as_parent", "is_segment", "segment_id"),
        *("sdk", "modules", "measurements", "transaction_info", "_meta", "severity_number", "severity_text"),
        *("release", "environment", "server_name", "monitor_slug", "check_in_id", "status", "value", "unit"),
    }
)
"""Fields of Sentry's own format, whose content comes from the SDK or the operator."""

_DROPPED: Final = frozenset({"user", "cookies", "attachments", "abs_path"})
_FRAME_FIELDS: Final = frozenset({"filename", "module", "function", "lineno", "colno", "in_app", "package"})
_HEADERS: Final = frozenset({"accept", "content-length", "content-type", "host"})
_EXCLUDED_LOGGERS: Final = frozenset(
    {
        *("uvicorn.access", "hypercorn.access", "gunicorn.access", "_granian", "granian.access"),
        *(
            "daphne",
            "django.channels.server",
            "django.server",
            "django.request",
            "aiohttp.access",
            "werkzeug",
        ),
        *("httpx", "httpcore", "urllib3.connectionpool", "quart.serving", "tornado.access", "sanic.access"),
    }
)
"""Loggers whose records hold raw paths. Transactions, spans and exceptions hold the same facts."""
_RECORD_FIELDS: Final = frozenset({"logentry", "message", "extra"})
_ROUTE_SOURCE: Final = "route"
_URL_SOURCE: Final = "url"
"""The source of a transaction name that is the raw path, because no route matched."""


class ScrubbingHooks:
    """Hooks for ``sentry_sdk.init``. What cannot be scrubbed is dropped and counted.

    Args:
        metrics: counts what is dropped.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def event(self, event: Any, _hint: Any) -> Any:
        """Serve as ``before_send`` and ``before_send_transaction``."""
        return self._scrub_or_drop(_scrub_event, event)

    def breadcrumb(self, crumb: Any, _hint: Any) -> Any:
        """Serve as ``before_breadcrumb``."""
        return (
            None
            if crumb.get("category") in _EXCLUDED_LOGGERS
            else self._scrub_or_drop(_scrub_breadcrumb, crumb)
        )

    def record(self, record: Any, _hint: Any) -> Any:
        """Serve as ``before_send_log`` and ``before_send_metric``."""
        unsent = (record.get("attributes") or {}).get("logger.name") in _EXCLUDED_LOGGERS
        return None if unsent else self._scrub_or_drop(_scrub_fields, record)

    def _scrub_or_drop(self, clean: Callable[[Record], Record], value: Record) -> Record | None:
        try:
            return clean(value)
        except Exception:  # noqa: BLE001 - nothing may leave unscrubbed, and nothing may reach the caller
            self._metrics.record_dropped("sentry", "failed")
            return None


def _scrub_event(event: Record) -> Record:
    request_id = correlation.current()
    kept = _without_access_record(_without_dropped(event), event)
    cleaned = {name: _SECTIONS.get(name, scrub)(part) for name, part in kept}
    if (event.get("transaction_info") or {}).get("source") == _URL_SOURCE:
        cleaned["transaction"] = OTHER
    if "url" in cleaned.get("request", ()):
        cleaned["request"]["url"] = _with_route(cleaned["request"]["url"], event)
    tags = dict(cleaned.get("tags") or {})
    if request_id is not None:
        tags["correlation_id"] = request_id
    if tags:
        cleaned["tags"] = tags
    return cleaned


def _without_access_record(parts: list[tuple[str, Any]], event: Record) -> list[tuple[str, Any]]:
    """Leave out the message of a record that holds a raw path."""
    dropped = _RECORD_FIELDS if event.get("logger") in _EXCLUDED_LOGGERS else ()
    return [(name, part) for name, part in parts if name not in dropped]


def _without_dropped(record: Record) -> list[tuple[str, Any]]:
    return [(name, part) for name, part in record.items() if name not in _DROPPED]


def _unchanged(part: Any) -> Any:
    return part


def _scrub_fields(record: Record) -> Record:
    """Scrub a span, a breadcrumb or a log record, except for Sentry's own fields."""
    return {name: _SECTIONS.get(name, scrub)(part) for name, part in _without_dropped(record)}


def _scrub_span(span: Record) -> Record:
    return _scrub_fields(describe_span(span))


def _scrub_breadcrumb(crumb: Record) -> Record:
    return _scrub_fields(describe_breadcrumb(crumb))


def _scrub_data(data: Any) -> Any:
    """Scrub the data of a call, without paths, literals and facts about a client."""
    return scrub(without_private_fields(data) if isinstance(data, dict) else data)


def _scrub_extra(extra: Any) -> Any:
    """Scrub additional data. The command line may hold a share link."""
    if isinstance(extra, dict):
        extra = {name: part for name, part in extra.items() if name != "sys.argv"}
    return scrub(extra)


def _scrub_request(request: Any) -> Record:
    """Keep the method, the URL without query, and a few headers."""
    if not isinstance(request, dict):
        return {}
    kept: Record = {"method": request.get("method")}
    if isinstance(request.get("url"), str):
        kept["url"] = _without_query(request["url"])
    headers = request.get("headers")
    if isinstance(headers, dict):
        kept["headers"] = {
            name: scrub(value) for name, value in headers.items() if str(name).lower() in _HEADERS
        }
    return kept


def _with_route(url: str, event: Record) -> str:
    """A request's URL with the route template for its path, which may hold a file's name."""
    named = (event.get("transaction_info") or {}).get("source") == _ROUTE_SOURCE
    path = request_context.route() or (event.get("transaction") if named else None)
    path = path if isinstance(path, str) and path.startswith("/") else f"/{OTHER}"
    try:
        return str(scrub(urlsplit(url)._replace(path=path).geturl()))
    except ValueError:
        return OTHER


def _without_query(url: str) -> str:
    """A URL without user, query and fragment."""
    try:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=netloc, query="", fragment="").geturl()
    except ValueError:
        return OTHER


def _scrub_contexts(contexts: Any) -> Any:
    if not isinstance(contexts, dict):
        return scrub(contexts)
    return {
        name: _scrub_span(part)
        if name == "trace" and isinstance(part, dict)
        else scrub({name: part}).get(name)
        for name, part in contexts.items()
    }


def _scrub_each(clean: Callable[[Record], Record]) -> Callable[[Any], Any]:
    """Apply ``clean`` to each record of a list or of Sentry's ``{"values": list}``."""

    def cleaned(part: Any) -> Any:
        if isinstance(part, dict) and "values" in part:
            return {**part, "values": cleaned(part["values"])}
        if not isinstance(part, list):
            return scrub(part)
        return [clean(one) if isinstance(one, dict) else scrub(one) for one in part]

    return cleaned


def _scrub_exception(exception: Record) -> Record:
    """Scrub an exception or a thread, its frames one by one."""
    cleaned = {name: scrub(part) for name, part in _without_dropped(exception) if name != "stacktrace"}
    for name in ("module", "thread_id", "mechanism", "id"):
        if name in exception and name != "mechanism":
            cleaned[name] = exception[name]
    stack = exception.get("stacktrace")
    if isinstance(stack, dict):
        cleaned["stacktrace"] = {**stack, "frames": _scrub_each(_scrub_frame)(stack.get("frames"))}
    return cleaned


def _scrub_frame(frame: Record) -> Record:
    """Keep the location, scrub the source lines and the application's variables.

    Variables of frameworks are left out: they hold whole requests in formats of their own.
    """
    kept = [(name, part) for name, part in _without_dropped(frame) if name != "vars"]
    cleaned = {name: part if name in _FRAME_FIELDS else scrub({name: part}).get(name) for name, part in kept}
    if isinstance(frame.get("vars"), dict) and frame.get("in_app", True):
        cleaned["vars"] = scrub(without_content(frame["vars"]))
    return cleaned


_SECTIONS: Final[dict[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(_SENTRY_FIELDS, _unchanged),
    "request": _scrub_request,
    "contexts": _scrub_contexts,
    "data": _scrub_data,
    "attributes": _scrub_data,
    "extra": _scrub_extra,
    "spans": _scrub_each(_scrub_span),
    "breadcrumbs": _scrub_each(_scrub_breadcrumb),
    "exception": _scrub_each(_scrub_exception),
    "threads": _scrub_each(_scrub_exception),
}
