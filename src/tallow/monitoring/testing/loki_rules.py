"""What Loki checks in a push, for the fake log endpoint. Limits are Loki's defaults.

Source: Grafana Loki's HTTP API, "Enforce rate limits and push request validation", and the section
``limits_config`` of its configuration.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tallow.monitoring.testing.fake_backend import RejectedRequestError

MAX_LINE_BYTES: Final = 256 * 1024
MAX_LABELS: Final = 15
MAX_LABEL_NAME: Final = 1024
MAX_LABEL_VALUE: Final = 2048
MAX_METADATA_BYTES: Final = 64 * 1024
MAX_METADATA_ENTRIES: Final = 128
OUT_OF_ORDER_WINDOW_S: Final = 3600
"""How much older than the newest line of its stream a line may be: half of ``max_chunk_age``."""
CREATION_GRACE_S: Final = 600
"""How far in the future a line may be."""

_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_NANOSECONDS: Final = re.compile(r"[0-9]{19}")
_TENANT: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9!_.*'()-]{1,150}")
_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class LokiEntry:
    """A stored line.

    Args:
        labels: of its stream, sorted by name.
        nanoseconds: its time since the Unix epoch.
        line: its text.
        metadata: its structured metadata.

    Example:
        >>> LokiEntry((("service_name", "shop"),), 1767323045678000000, '{"message": "Ready"}').metadata
        {}
    """

    labels: tuple[tuple[str, str], ...]
    nanoseconds: int
    line: str
    metadata: Mapping[str, str] = field(default_factory=dict)


def check_tenant(headers: Mapping[str, str]) -> None:
    """Reject a request as Loki with ``auth_enabled`` does.

    Raises:
        RejectedRequestError: the header ``X-Scope-OrgID`` is missing (401) or not the id of one tenant.
    """
    tenant = headers.get("x-scope-orgid", "")
    if not tenant:
        raise RejectedRequestError("no org id", status=401)
    if not _TENANT.fullmatch(tenant):
        raise RejectedRequestError("X-Scope-OrgID is not the id of one tenant")


def parse_push(body: bytes) -> Iterator[LokiEntry]:
    """Return the lines of a push.

    Raises:
        RejectedRequestError: Loki would store none of them.
        ValueError, KeyError, TypeError: the body has another form, and Loki would store none of them.
    """
    pushed = json.loads(body)
    if set(pushed) != {"streams"} or not pushed["streams"]:
        raise RejectedRequestError("the body is not an object with only the field streams, or has no stream")
    for stream in pushed["streams"]:
        if set(stream) != {"stream", "values"}:
            raise RejectedRequestError("a stream has other fields than stream and values")
        labels = _checked_labels(stream["stream"])
        for value in stream["values"]:
            yield _checked_entry(labels, value)


def _checked_labels(labels: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if not labels:
        raise RejectedRequestError("error at least one label pair is required per stream")
    if len(labels) > MAX_LABELS:
        raise RejectedRequestError(f"entry for stream has {len(labels)} label names; limit {MAX_LABELS}")
    for name, value in labels.items():
        if not _LABEL.fullmatch(name) or len(name) > MAX_LABEL_NAME:
            raise RejectedRequestError("a label has an invalid name")
        if not isinstance(value, str) or not 0 < len(value) <= MAX_LABEL_VALUE:
            raise RejectedRequestError("a label's value is no string, empty or too long")
    return tuple(sorted(labels.items()))


def _checked_entry(labels: tuple[tuple[str, str], ...], value: Any) -> LokiEntry:
    if not isinstance(value, list) or len(value) not in {2, 3}:
        raise RejectedRequestError("a value is not a list of time, line and optional structured metadata")
    moment, line, metadata = [*value, {}][:3]
    if not isinstance(moment, str) or not _NANOSECONDS.fullmatch(moment):
        raise RejectedRequestError("a time is not a string of 19 digits: nanoseconds since the Unix epoch")
    if not isinstance(line, str):
        raise RejectedRequestError("a line is not a string")
    if not isinstance(metadata, dict) or not all(isinstance(one, str) for one in metadata.values()):
        raise RejectedRequestError("structured metadata is not an object of strings")
    return LokiEntry(labels, int(moment), line, metadata)


class LokiStore:
    """Stored lines. Invalid lines of a push are refused, its other lines are stored.

    Args:
        max_line_bytes: a longer line is refused.
        max_age_s: an older line is refused; None accepts every age. Loki's default is a week.

    Attributes:
        entries: the lines in the order in which they arrived.

    Example:
        >>> LokiStore().entries
        []
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES, max_age_s: float | None = None) -> None:
        self.entries: list[LokiEntry] = []
        self._max_line_bytes = max_line_bytes
        self._max_age_s = max_age_s
        self._known: set[tuple[Any, ...]] = set()
        self._newest: dict[tuple[tuple[str, str], ...], int] = {}

    def store(self, entry: LokiEntry) -> bool:
        """Store a line: whether it is new. A stream stores lines of equal time and text once."""
        self._newest[entry.labels] = max(entry.nanoseconds, self._newest.get(entry.labels, 0))
        key = (entry.labels, entry.nanoseconds, entry.line)
        if key in self._known:
            return False
        self._known.add(key)
        self.entries.append(entry)
        return True

    def refusal(self, entry: LokiEntry) -> str | None:
        """Return why the distributor refuses a line, or None."""
        stream = _stream_name(entry)
        size, now = len(entry.line.encode()), time.time_ns()
        if size > self._max_line_bytes:
            return (
                f"Max entry size '{self._max_line_bytes}' bytes exceeded for stream '{stream}' while adding "
                f"an entry with length '{size}' bytes"
            )
        if self._max_age_s is not None and entry.nanoseconds < now - self._max_age_s * _SECOND:
            return f"entry for stream '{stream}' has timestamp too old: {entry.nanoseconds}"
        if entry.nanoseconds > now + CREATION_GRACE_S * _SECOND:
            return f"entry for stream '{stream}' has timestamp too new: {entry.nanoseconds}"
        metadata_size = sum(len(name) + len(value) for name, value in entry.metadata.items())
        if metadata_size > MAX_METADATA_BYTES:
            return f"stream '{stream}' has structured metadata too large: '{metadata_size}' bytes"
        if len(entry.metadata) > MAX_METADATA_ENTRIES:
            return f"stream '{stream}' has too many structured metadata labels: '{len(entry.metadata)}'"
        return None

    def is_too_far_behind(self, entry: LokiEntry) -> bool:
        """Whether the ingester refuses a line because its stream has one that is an hour newer."""
        return entry.nanoseconds < self._newest.get(entry.labels, 0) - OUT_OF_ORDER_WINDOW_S * _SECOND


def error_text(refusals: list[str], behind: list[LokiEntry], total: int) -> str:
    """Return the text of Loki's response: equal errors with their number, and the ingester's summary."""
    if not behind:
        kinds = {text: refusals.count(text) for text in refusals}
        several = len(refusals) > 1
        return "; ".join(
            f"{number} errors like: {text}" if several else text for text, number in kinds.items()
        )
    lines = [
        f"entry with timestamp {entry.nanoseconds} ignored, reason: 'entry too far behind',\n"
        for entry in behind[:10]
    ]
    summary = (
        f"user 'fake', total ignored: {len(behind)} out of {total} for stream: {_stream_name(behind[0])}"
    )
    return "".join([*lines, summary])


def _stream_name(entry: LokiEntry) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in entry.labels) + "}"
