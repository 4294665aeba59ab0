"""The correlation id: one random name for a transfer or a request, shared by all its sides.

It is taken from a W3C ``traceparent`` header or, when it is a UUID or 32 hexadecimal digits, from
``X-Request-ID``; free text there would be a way out for private data. Otherwise it is made at random.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

HEADER: Final = "X-Request-ID"

_current: ContextVar[str | None] = ContextVar("tallow_correlation_id", default=None)
_exemplar: ContextVar[str | None] = ContextVar("tallow_exemplar_id", default=None)
_ID = re.compile(r"[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_NONE = "0" * 32

current = _current.get
"""The id of the transfer or request at hand, or None."""

exemplar_id = _exemplar.get
"""The id that an observation is marked with as its exemplar; None where observations get none."""


def new_id() -> str:
    """A fresh id: 128 random bits as 32 hexadecimal digits."""
    return os.urandom(16).hex()


def parse(text: str) -> str | None:
    """The id that ``text`` spells as a UUID or as 32 hexadecimal digits, or None for anything else."""
    lowered = text.lower()
    if _UUID.fullmatch(lowered):
        lowered = lowered.replace("-", "")
    return lowered if _ID.fullmatch(lowered) and lowered != _NONE else None


def from_headers(headers: Mapping[str, str]) -> str | None:
    """The id a request brings (header names in lower case): ``traceparent`` first, then ``x-request-id``.

    Source: W3C Trace Context, section 3.2.
    """
    traced = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    if traced and traced[1] != _NONE:
        return traced[1]
    return parse(headers.get("x-request-id", ""))


class bind:  # noqa: N801 - reads as the function it would be, at a third of its cost
    """Make ``correlation_id`` the current one inside the block.

    Args:
        exemplars: whether observations inside the block are marked with it. A scrape's are not: it would
            replace the exemplars of requests that somebody looks for.
    """

    __slots__ = ("_exemplar", "_exemplar_token", "_id", "_token")

    def __init__(self, correlation_id: str, *, exemplars: bool = True) -> None:
        self._id = correlation_id
        self._exemplar = correlation_id if exemplars else None

    def __enter__(self) -> str:
        self._token = _current.set(self._id)
        self._exemplar_token = _exemplar.set(self._exemplar)
        return self._id

    def __exit__(self, *error: object) -> None:
        _exemplar.reset(self._exemplar_token)
        _current.reset(self._token)
