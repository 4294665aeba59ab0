"""A fake log endpoint: it validates requests like Loki's push API, and accepts plain JSON lines.

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
    """Accepts pushes on Loki's path and JSON lines (``application/x-ndjson``) on any other path.

    Attributes:
        batches: pairs of batch id and records, in order, including repeated batches.

    Example::

        >>> FakeLogEndpoint().records
        []
    """

    success_status: ClassVar[int] = 204

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[str, list[Record]]] = []

    @property
    def records(self) -> list[Record]:
        """The records, without those of repeated batches."""
        with self.changed:
            once = dict(self.batches)
        return [record for records in once.values() for record in records]

    @property
    def messages(self) -> list[str]:
        """The messages of the records."""
        return [record["message"] for record in self.records]

    def wait_for(self, count: int, timeout_s: float = WAIT_TIMEOUT_S) -> list[str]:
        """Wait until ``count`` records were received and return the messages of all.

        Raises:
            AssertionError: they were not received within ``timeout_s`` seconds.
        """
        self.wait_until(lambda: len(self.records) >= count, f"{count} records", timeout_s)
        return self.messages

    def accept(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Store a batch."""
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
    """Run a fake log endpoint for the block. Set ``LOG_ENDPOINT`` to its ``url``.

    Args:
        port: on 127.0.0.1; 0 chooses a free one.

    Example::

        >>> from tallow.monitoring.settings import MonitoringSettings
        >>> with log_endpoint() as endpoint:
        ...     settings = MonitoringSettings.load(log_endpoint=endpoint.url)
    """
    with running(FakeLogEndpoint(), port) as endpoint:
        yield endpoint


def _loki_records(body: bytes) -> list[Record]:
    """Return the records of a push, validated like Loki does."""
    pushed = json.loads(body)
    if set(pushed) != {"streams"}:
        raise RejectedRequestError("the body is not an object with only the field streams")
    return [record for stream in pushed["streams"] for record in _stream_records(stream)]


def _stream_records(stream: dict[str, Any]) -> Iterator[Record]:
    labels = stream["stream"]
    if set(stream) != {"stream", "values"} or not labels:
        raise RejectedRequestError("a stream has other fields than stream and values, or no labels")
    if not all(_LABEL.fullmatch(name) and isinstance(value, str) for name, value in labels.items()):
        raise RejectedRequestError("a label has an invalid name or a value that is no string")
    for moment, line in stream["values"]:
        if not _NANOSECONDS.fullmatch(moment):
            raise RejectedRequestError("a time is not 19 digits: nanoseconds since the Unix epoch")
        record: Record = json.loads(line)
        yield record
