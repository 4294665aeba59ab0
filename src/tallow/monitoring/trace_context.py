"""Headers of W3C Trace Context: reading ``traceparent`` and ``tracestate``, and passing them on.

``tracestate`` is text of other systems. It is passed on to the next service and goes nowhere else: not into
logs, error reports or metrics.

Source: W3C Trace Context, Level 2, sections 3.2, 3.3 and 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
REQUEST_ID: Final = "x-request-id"
ASGI_NAMES: Final = frozenset(name.encode() for name in (TRACEPARENT, TRACESTATE, REQUEST_ID))
"""Names of the headers that :func:`from_asgi` reads."""
MAX_MEMBERS: Final = 32
"""Members of a tracestate. One with more is invalid."""
MAX_STATE: Final = 512
"""Characters of a tracestate that are passed on. Whole members are left out beyond that."""
LARGE_MEMBER: Final = 128
"""Characters of a member that is left out first."""
_MAX_HEADER: Final = 8_192
"""Characters of a header that is read at all."""

_TRACEPARENT: Final = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<parent>(?!0{16})[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)
_TRACEPARENT_BYTES: Final = re.compile(_TRACEPARENT.pattern.encode())
_MEMBER: Final = re.compile(
    r"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_WHITESPACE: Final = " \t"
_WHITESPACE_BYTES: Final = _WHITESPACE.encode()
_KNOWN_FLAGS: Final = 0x03
"""Sampled, and random trace id: the flags of another version may mean something else."""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The trace that a request belongs to.

    Attributes:
        trace_id: 32 hexadecimal digits, not all zero.
        parent_id: the caller's span: 16 hexadecimal digits, not all zero.
        flags: two hexadecimal digits; 01 means sampled.
        state: ``tracestate``, or the empty text. It is left out of ``repr``.
    """

    trace_id: str
    parent_id: str
    flags: str = "00"
    state: str = field(default="", repr=False)

    def headers(self, span_id: str) -> dict[str, str]:
        """Return the headers for a request that the span ``span_id`` sends."""
        headers = {TRACEPARENT: f"00-{self.trace_id}-{span_id}-{self.flags}"}
        return headers | {TRACESTATE: self.state} if self.state else headers


def parse(headers: Mapping[str, str]) -> TraceContext | None:
    """Return the trace context of a request; None if ``traceparent`` is missing or invalid.

    Args:
        headers: by lower-case name.

    Example:
        >>> parse({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}).flags
        '01'
    """
    match = _TRACEPARENT.fullmatch(headers.get(TRACEPARENT, "").strip(_WHITESPACE))
    if match is None or (match["version"] == "00" and match["rest"]):
        return None
    flags = match["flags"]
    if match["version"] != "00":
        flags = f"{int(flags, 16) & _KNOWN_FLAGS:02x}"
    return TraceContext(match["trace"], match["parent"], flags, valid_state(headers.get(TRACESTATE, "")))


def trace_id(value: bytes) -> str | None:
    """Return the trace id of a ``traceparent``, in less time than :func:`parse`; None if it is invalid.

    Example:
        >>> trace_id(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        '0af7651916cd43dd8448eb211c80319c'
    """
    match = _TRACEPARENT_BYTES.fullmatch(value) or _TRACEPARENT_BYTES.fullmatch(
        value.strip(_WHITESPACE_BYTES)
    )
    if match is None:
        return None
    version, trace, rest = match.group("version", "trace", "rest")
    return None if rest and version == b"00" else trace.decode("ascii")


def valid_state(text: str) -> str:
    """Return a ``tracestate`` as it is passed on: unchanged if it is valid and not too long, else shortened
    by whole members; the empty text if it is invalid.

    Example:
        >>> valid_state("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"), valid_state("no member")
        ('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', '')
    """
    if not text or len(text) > _MAX_HEADER:
        return ""
    members = [stripped for member in text.split(",") if (stripped := member.strip(_WHITESPACE))]
    if not members or len(members) > MAX_MEMBERS or not all(map(_MEMBER.fullmatch, members)):
        return ""
    return text if len(text) <= MAX_STATE else _shortened(members)


def _shortened(members: list[str]) -> str:
    """Leave out members until the rest fits: large ones first, then from the end (section 3.3.1.5)."""
    kept = list(members)
    for candidate in [
        *(member for member in reversed(members) if len(member) > LARGE_MEMBER),
        *members[::-1],
    ]:
        if len(",".join(kept)) <= MAX_STATE:
            break
        if candidate in kept:
            kept.remove(candidate)
    return ",".join(kept)


def from_asgi(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of a request that identify it, by lower-case name.

    Several ``tracestate`` headers are joined in their order. Several of another name are all left out:
    nothing says which one is right.
    """
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if name in ASGI_NAMES:
            found.setdefault(name.decode("ascii"), []).append(value.decode("latin-1"))
    return {
        name: ",".join(values) for name, values in found.items() if name == TRACESTATE or len(values) == 1
    }
