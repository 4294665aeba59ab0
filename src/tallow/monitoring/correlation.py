"""The correlation id: a random id of one transfer or request, shared by all services that handle it.

It is taken from a W3C ``traceparent`` header or from ``X-Request-ID``, if that is a UUID or 32 hexadecimal
digits: free text could contain private data. Otherwise it is random.
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
"""Return the id of the current transfer or request, or None."""

exemplar_id = _exemplar.get
"""Return the id for the exemplar of an observation; None if observations get no exemplar."""


def new_id() -> str:
    """Return a new id: 128 random bits as 32 hexadecimal digits.

    Example:
        >>> len(new_id())
        32
    """
    return os.urandom(16).hex()


def parse(text: str) -> str | None:
    """Return the id that ``text`` is, a UUID or 32 hexadecimal digits; None for any other text.

    Example:
        >>> parse("0AF76519-16CD-43DD-8448-EB211C80319C")
        '0af7651916cd43dd8448eb211c80319c'
    """
    lowered = text.lower()
    if _UUID.fullmatch(lowered):
        lowered = lowered.replace("-", "")
    return lowered if _ID.fullmatch(lowered) and lowered != _NONE else None


def from_headers(headers: Mapping[str, str]) -> str | None:
    """Return the id of a request: from ``traceparent``, else from ``x-request-id``; None if there is none.

    Source: W3C Trace Context, section 3.2.

    Args:
        headers: by lower-case name.

    Example:
        >>> from_headers({"x-request-id": "0af7651916cd43dd8448eb211c80319c"})
        '0af7651916cd43dd8448eb211c80319c'
    """
    match = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    if match and match[1] != _NONE:
        return match[1]
    return parse(headers.get("x-request-id", ""))


class bind:  # noqa: N801 - used as a function; @contextmanager takes three times as long
    """Make an id the current one inside a ``with`` block.

    Args:
        correlation_id: 32 hexadecimal digits.
        exemplars: whether observations in the block get the id as their exemplar. Those of a scrape do not:
            they would replace the exemplars of requests.

    Example:
        >>> with bind("0af7651916cd43dd8448eb211c80319c"):
        ...     current()
        '0af7651916cd43dd8448eb211c80319c'
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
