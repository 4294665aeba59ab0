"""A fake log endpoint: it validates requests like Loki's push API, and accepts plain JSON lines.

Source: Grafana Loki's HTTP API, ``POST /loki/api/v1/push``.
"""

from __future__ import annotations

import json
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
from tallow.monitoring.testing.loki_rules import (
    MAX_LINE_BYTES,
    LokiEntry,
    LokiStore,
    check_tenant,
    error_text,
    parse_push,
)

LOKI_PUSH_PATH: Final = "/loki/api/v1/push"

Record = dict[str, Any]


class FakeLogEndpoint(FakeBackend):
    """Accepts pushes on Loki's path and JSON lines (``application/x-ndjson``) on any other path.

    Like Loki it stores the valid lines of a push and answers 400 for the others, and it stores lines of one
    stream with equal time and text once.

    Args:
        multi_tenant: whether a push needs the header ``X-Scope-OrgID``.
        max_line_bytes: a longer line is rejected.
        max_age_s: an older line is rejected; None accepts every age, Loki by default a week.

    Attributes:
        batches: pairs of batch id and accepted records, in order, including repeated batches.

    Example::

        >>> FakeLogEndpoint().records
        []
    """

    success_status: ClassVar[int] = 204

    def __init__(
        self,
        *,
        multi_tenant: bool = False,
        max_line_bytes: int = MAX_LINE_BYTES,
        max_age_s: float | None = None,
    ) -> None:
        super().__init__()
        self.batches: list[tuple[str, list[Record]]] = []
        self._multi_tenant = multi_tenant
        self._store = LokiStore(max_line_bytes, max_age_s)
        self._records: list[Record] = []

    @property
    def records(self) -> list[Record]:
        """The records, without those of repeated batches and those that Loki stores once."""
        with self.changed:
            return list(self._records)

    @property
    def entries(self) -> list[LokiEntry]:
        """The lines that Loki would have stored, with time, labels and structured metadata."""
        with self.changed:
            return list(self._store.entries)

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
        batch_id = request.headers["x-batch-id"]
        if loki:
            self._accept_push(request, batch_id)
        else:
            self._accept_lines([json.loads(line) for line in request.body.splitlines()], batch_id)
        return {}

    def _accept_lines(self, records: list[Record], batch_id: str) -> None:
        if batch_id not in dict(self.batches):
            self._records += records
        self.batches.append((batch_id, records))

    def _accept_push(self, request: ReceivedRequest, batch_id: str) -> None:
        if self._multi_tenant:
            check_tenant(request.headers)
        pushed = [(entry, json.loads(entry.line)) for entry in parse_push(request.body)]
        refusals, behind, accepted = [], [], []
        for entry, record in pushed:
            if refusal := self._store.refusal(entry):
                refusals.append(refusal)
            elif self._store.is_too_far_behind(entry):
                behind.append(entry)
            else:
                accepted.append(record)
                if self._store.store(entry):
                    self._records.append(record)
        if accepted:
            self.batches.append((batch_id, accepted))
        if refusals or behind:
            raise RejectedRequestError(error_text(refusals, behind, len(pushed)))


@contextmanager
def log_endpoint(port: int = 0, **rules: Any) -> Iterator[FakeLogEndpoint]:
    """Run a fake log endpoint for the block. Set ``LOG_ENDPOINT`` to its ``url``.

    Args:
        port: on 127.0.0.1; 0 chooses a free one.
        rules: the keyword arguments of :class:`FakeLogEndpoint`.

    Example::

        >>> from tallow.monitoring.settings import MonitoringSettings
        >>> with log_endpoint() as endpoint:
        ...     settings = MonitoringSettings.load(log_endpoint=endpoint.url)
    """
    with running(FakeLogEndpoint(**rules), port) as endpoint:
        yield endpoint
