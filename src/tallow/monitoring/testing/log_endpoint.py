"""A log endpoint as strict as Loki's push API, and one for plain JSON lines.

Source: Grafana Loki's HTTP API, ``POST /loki/api/v1/push``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from tallow.monitoring.testing.fake_backend import (
    WAIT_TIMEOUT_S,
    FakeBackend,
    ReceivedRequest,
    RejectedRequestError,
    running,
)

LOKI_PUSH_PATH: Final = "/loki/api/v1/push"
_LABEL: Final = re.compile(r"[a-zA-Z_]\w*")
_NANOSECONDS: Final = re.compile(r"\d{19}")

Record = dict[str, Any]


class FakeLogEndpoint(FakeBackend):
    """Takes pushes to Loki's path and JSON lines (``application/x-ndjson``) on any other.

    Attributes:
        batches: (batch id, records) as they came, repeats included.
    """

    success_status: ClassVar[int] = 204

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[str, list[Record]]] = []

    @property
    def records(self) -> list[Record]:
        """The records, those of a batch that came more than once only once."""
        with self.changed:
            once = dict(self.batches)
        return [record for records in once.values() for record in records]

    @property
    def messages(self) -> list[str]:
        """The records' messages."""
        return [record["message"] for record in self.records]

    def wait_for(self, count: int, timeout_s: float = WAIT_TIMEOUT_S) -> list[str]:
        """Wait until ``count`` records are here: the messages of all.

        Raises:
            AssertionError: they did not come in time.
        """
        self.wait_until(lambda: len(self.records) >= count, f"{count} records", timeout_s)
        return self.messages

    def accept(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Keep a batch."""
        loki = request.path.endswith(LOKI_PUSH_PATH)
        wanted = "application/json" if loki else "application/x-ndjson"
        if request.headers.get("content-type") != wanted:
            raise RejectedRequestError(f"the content type is not {wanted}")
        records = (
            _loki_records(request.body) if loki else [json.loads(line) for line in request.body.splitlines()]
        )
        self.batches.append((request.headers["x-batch-id"], records))
        return {}


@contextmanager
def log_endpoint(port: int = 0) -> Iterator[FakeLogEndpoint]:
    """A running one: point ``LOG_ENDPOINT`` at its ``url``."""
    with running(FakeLogEndpoint(), port) as endpoint:
        yield endpoint


def _loki_records(body: bytes) -> list[Record]:
    """The lines of a push, checked as Loki checks them."""
    pushed = json.loads(body)
    if set(pushed) != {"streams"}:
        raise RejectedRequestError("a push is an object of streams")
    return [record for stream in pushed["streams"] for record in _stream_records(stream)]


def _stream_records(stream: dict[str, Any]) -> Iterator[Record]:
    labels = stream["stream"]
    if set(stream) != {"stream", "values"} or not labels:
        raise RejectedRequestError("a stream is its labels and its values")
    if not all(_LABEL.fullmatch(name) and isinstance(value, str) for name, value in labels.items()):
        raise RejectedRequestError("a label's name or value")
    for moment, line in stream["values"]:
        if not _NANOSECONDS.fullmatch(moment):
            raise RejectedRequestError("a time is 19 digits, nanoseconds since the Unix epoch")
        record: Record = json.loads(line)
        yield record
