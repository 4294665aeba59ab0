"""A fake Sentry: it parses real envelopes and rejects what the original rejects.

Source: Sentry's developer documentation, "Envelopes", "Event Payloads" and "Sessions".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from tallow.monitoring.testing.fake_backend import FakeBackend, ReceivedRequest, RejectedRequestError, running

KEY: Final = "0123456789abcdef0123456789abcdef"
PROJECT: Final = "7"

_HEX32: Final = re.compile(r"[0-9a-f]{32}")
_HEX16: Final = re.compile(r"[0-9a-f]{16}")
_LEVELS: Final = {"fatal", "error", "warning", "info", "debug"}
_OBJECTS: Final = ("tags", "contexts", "extra", "user", "request", "sdk", "modules")
_LISTS: Final = ("exception", "threads", "breadcrumbs")
_ATTRIBUTES: Final = {"string", "boolean", "integer", "double", "array"}

Payload = dict[str, Any]


class FakeSentry(FakeBackend):
    """Accepts envelopes.

    Attributes:
        items: pairs of item type and payload, in order. The payload of an attachment is bytes, others are
            objects.
        envelopes: the headers of the envelopes.

    Example::

        >>> FakeSentry().payloads("event")
        []
    """

    def __init__(self) -> None:
        super().__init__()
        self.items: list[tuple[str, Any]] = []
        self.envelopes: list[Payload] = []

    @property
    def dsn(self) -> str:
        """The value for ``SENTRY_DSN``."""
        return f"http://{KEY}@{urlsplit(self.url).netloc}/{PROJECT}"

    def payloads(self, kind: str) -> list[Any]:
        """Return the payloads of a type: event, transaction, log, trace_metric, check_in, sessions, …"""
        with self.changed:
            return [payload for item, payload in self.items if item == kind]

    def accept(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Store the items of an envelope."""
        if request.path != f"/api/{PROJECT}/envelope/":
            raise RejectedRequestError(f"unknown path {request.path}")
        auth = request.headers.get("x-sentry-auth", "")
        if f"sentry_key={KEY}" not in auth or "sentry_version=7" not in auth:
            raise RejectedRequestError("no key in x-sentry-auth")
        header, items = _parse_envelope(request.body)
        if "event_id" in header and not _HEX32.fullmatch(header["event_id"]):
            raise RejectedRequestError("event_id")
        self.envelopes.append(header)
        self.items += items
        return {}


@contextmanager
def sentry_endpoint(port: int = 0) -> Iterator[FakeSentry]:
    """Run a fake Sentry for the block. Set ``SENTRY_DSN`` to its ``dsn``.

    Args:
        port: on 127.0.0.1; 0 chooses a free one.

    Example::

        >>> with sentry_endpoint() as sentry:
        ...     sentry.dsn.endswith("/7")
        True
    """
    with running(FakeSentry(), port) as sentry:
        yield sentry


def _parse_envelope(body: bytes) -> tuple[Payload, list[tuple[str, Any]]]:
    header, position = _parse_header(body, 0)
    items = []
    while position < len(body):
        item, position = _parse_header(body, position)
        length = item.get("length")
        if not isinstance(length, int):
            raise RejectedRequestError("an item without length")
        payload = body[position : position + length]
        if len(payload) != length:
            raise RejectedRequestError("a short payload")
        position += length + 1
        items.append((item["type"], _checked_payload(item, payload)))
    return header, items


def _parse_header(body: bytes, position: int) -> tuple[Payload, int]:
    end = body.find(b"\n", position)
    end = len(body) if end < 0 else end
    header = json.loads(body[position:end])
    if not isinstance(header, dict):
        raise RejectedRequestError("a header is not an object")
    return header, end + 1


def _checked_payload(header: Payload, payload: bytes) -> Any:
    kind = header["type"]
    if kind in {"attachment", "replay_recording"}:
        return payload
    content = json.loads(payload)
    if kind in {"log", "trace_metric", "span"}:
        _check_batch(header, content)
    elif kind in _CHECKS:
        _CHECKS[kind](content)
    else:
        raise RejectedRequestError(f"item type {kind}")
    return content


def _requires(*names: str) -> Callable[[Payload], None]:
    def check(content: Payload) -> None:
        for name in names:
            if name not in content:
                raise RejectedRequestError(f"no {name}")

    return check


def _check_batch(header: Payload, content: Payload) -> None:
    if header.get("item_count") != len(content["items"]) or not content["items"]:
        raise RejectedRequestError("item_count")
    for item in content["items"]:
        if not _HEX32.fullmatch(item["trace_id"]) or not isinstance(item["attributes"], dict):
            raise RejectedRequestError("a log, metric or span without trace or attributes")
        if any(attribute["type"] not in _ATTRIBUTES for attribute in item["attributes"].values()):
            raise RejectedRequestError("an attribute without type")


def _check_event(event: Payload) -> None:
    if not _HEX32.fullmatch(event["event_id"]) or not event.get("timestamp"):
        raise RejectedRequestError("event_id or timestamp")
    if event.get("platform") != "python" or event.get("level", "error") not in _LEVELS:
        raise RejectedRequestError("platform or level")
    wrong = [section for section in _OBJECTS if not isinstance(event.get(section, {}), dict)]
    if wrong:
        raise RejectedRequestError(f"not an object: {', '.join(wrong)}")
    _check_frames(event)
    if "trace" in event.get("contexts", {}):
        _check_span(event["contexts"]["trace"])


def _check_frames(event: Payload) -> None:
    for section in _LISTS:
        for entry in (event.get(section) or {}).get("values", []):
            for frame in (entry.get("stacktrace") or {}).get("frames") or []:
                _check_frame(frame)


def _check_frame(frame: Payload) -> None:
    if not isinstance(frame["lineno"], int) or not isinstance(frame["filename"], str):
        raise RejectedRequestError("a frame without file or line")


def _check_span(span: Payload) -> None:
    if not _HEX32.fullmatch(span["trace_id"]) or not _HEX16.fullmatch(span["span_id"]):
        raise RejectedRequestError("a span without ids")


def _check_transaction(event: Payload) -> None:
    _check_event(event)
    if not event.get("start_timestamp") or "trace" not in event["contexts"]:
        raise RejectedRequestError("a transaction without start or trace")
    for span in event["spans"]:
        _check_span(span)
        if not span.get("start_timestamp") or not span.get("timestamp"):
            raise RejectedRequestError("a span without times")


_CHECKS: Final[dict[str, Callable[[Payload], None]]] = {
    "event": _check_event,
    "transaction": _check_transaction,
    "session": _requires("sid", "status"),
    "sessions": _requires("aggregates", "attrs"),
    "client_report": _requires("timestamp", "discarded_events"),
    "check_in": _requires("check_in_id", "monitor_slug", "status"),
    "profile": _requires("event_id", "profile"),
    "profile_chunk": _requires("chunk_id", "profile"),
    "feedback": _requires("event_id"),
    "user_report": _requires("event_id"),
}
