"""A batch of lines, which is sent, repeated and spooled under one id."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

MAX_BATCH_BYTES: Final = 1024 * 1024
"""Loki accepts 4 MiB, most collectors 1."""

ID_HEADER: Final = "X-Batch-ID"
LOKI_PATH: Final = "/loki/api/v1/push"


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines of one request.

    Attributes:
        lines: JSON lines, each with its newline.
        id: 32 hexadecimal digits, by which a receiver recognizes a repeated batch.
    """

    lines: Sequence[bytes]
    id: str = field(default_factory=lambda: os.urandom(16).hex())

    def as_json_lines(self) -> bytes:
        """Return the body for a plain endpoint, which is also the format on disk."""
        return b"".join(self.lines)

    def as_loki(self) -> bytes:
        """Return the body for Loki's push API, with one stream for each level.

        A repeated batch has the same times and lines; Loki stores each once.
        """
        streams: dict[tuple[str, str, str], list[list[str]]] = {}
        for line in self.lines:
            record = orjson.loads(line)
            labels = tuple(str(record.get(name, "")) for name in ("service", "environment", "level"))
            entry = [to_nanoseconds(record["timestamp"]), line.rstrip(b"\n").decode()]
            streams.setdefault((labels[0], labels[1], labels[2]), []).append(entry)
        names = ("service_name", "environment", "level")
        pushed: list[dict[str, Any]] = [
            {"stream": dict(zip(names, labels, strict=True)), "values": values}
            for labels, values in streams.items()
        ]
        return orjson.dumps({"streams": pushed})


def to_nanoseconds(stamp: str) -> str:
    """Convert an RFC 3339 time to Loki's format: nanoseconds since the Unix epoch, as text."""
    moment = datetime.fromisoformat(stamp)
    return f"{round(moment.timestamp() * 1000)}000000"
