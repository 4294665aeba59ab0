"""A batch of lines, which is sent, repeated and spooled under one id."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tallow.monitoring.shipping import loki

MAX_BATCH_BYTES: Final = 1024 * 1024
"""Loki accepts 4 MiB, most collectors 1."""

ID_HEADER: Final = "X-Batch-ID"


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines of one request.

    Attributes:
        lines: JSON lines, each with its newline.
        id: 32 hexadecimal digits, by which a receiver recognizes a repeated batch.
        first_number: the number of its first line, see :class:`~tallow.monitoring.shipping.line_numbers`. It
            is kept with the batch: a repeated line has the same time, so that Loki stores it once.
    """

    lines: Sequence[bytes]
    id: str = field(default_factory=lambda: os.urandom(16).hex())
    first_number: int = 0

    def as_json_lines(self) -> bytes:
        """Return the body for a plain endpoint, which is also the format on disk."""
        return b"".join(self.lines)

    def as_loki(self) -> bytes:
        """Return the body for Loki's push API. That of a repeated batch is the same.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: a line is not an object with a valid time.
        """
        return loki.push_body(self.lines, self.first_number)
