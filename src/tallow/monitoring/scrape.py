"""``GET /metrics``: content negotiation, compression, and lines in pieces so that the loop keeps turning."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

from tallow.monitoring import foreign
from tallow.monitoring.exposition import OPENMETRICS, TEXT, pieces
from tallow.monitoring.registry import Registry

PATHS: Final = ("/metrics", "/api/metrics")

_GZIP: Final = 16 + zlib.MAX_WBITS
_LEVEL: Final = 1
"""Exposition is repetitive: the quickest level already makes it twenty times smaller."""


def negotiate(headers: Mapping[str, str]) -> tuple[str, bool]:
    """Content-Type and whether to compress, from ``accept`` and ``accept-encoding`` (RFC 9110, 12.5)."""
    openmetrics = _quality(headers.get("accept", ""), "application/openmetrics-text")
    text = max(_quality(headers.get("accept", ""), "text/plain"), 0.0)
    compress = _quality(headers.get("accept-encoding", ""), "gzip") > 0
    return (OPENMETRICS if openmetrics > 0 and openmetrics >= text else TEXT), compress


async def body(registry: Registry, content_type: str, compress: bool) -> AsyncIterator[bytes]:
    """The exposition in pieces, the event loop turning after each."""
    openmetrics = content_type == OPENMETRICS
    lines = pieces(registry, openmetrics=openmetrics, foreign=foreign.pieces(openmetrics=openmetrics))
    for piece in _compressed(lines) if compress else lines:
        yield piece
        await asyncio.sleep(0)


def _compressed(lines: Iterator[bytes]) -> Iterator[bytes]:
    squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for piece in lines:
        yield squeeze.compress(piece)
    yield squeeze.flush()


def _quality(header: str, wanted: str) -> float:
    """The weight (0 to 1) a header gives to a value, 0 if it is not named."""
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name == wanted:
            weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
            try:
                return float(weights[0]) if weights else 1.0
            except ValueError:
                return 0.0
    return 0.0
