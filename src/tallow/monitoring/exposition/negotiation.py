"""Choose format, escaping and compression of a scrape (RFC 9110, sections 12.4 and 12.5).

Source of the formats: https://prometheus.io/docs/instrumenting/content_negotiation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tallow.monitoring.exposition.escaping import ALLOW_UTF_8, SCHEMES, UNDERSCORES
from tallow.monitoring.exposition.text import OPENMETRICS, TEXT, TEXT_1_0_0

_OPENMETRICS_TYPE: Final = "application/openmetrics-text"
_TEXT_TYPE: Final = "text/plain"


class NegotiatedFormat(NamedTuple):
    """The chosen format of a scrape."""

    content_type: str
    """The Content-Type of the response; names the escaping if the scraper did."""
    compress: bool
    """Whether gzip is used."""
    escaping: str = UNDERSCORES
    """How names outside the classic character set are escaped (see ``escaping.py``)."""

    @property
    def openmetrics(self) -> bool:
        """Whether the format is OpenMetrics."""
        return self.content_type.startswith(_OPENMETRICS_TYPE)


def negotiate(headers: Mapping[str, str]) -> NegotiatedFormat:
    """Choose format, escaping and compression from ``accept`` and ``accept-encoding``.

    OpenMetrics is chosen if the scraper names a supported version and prefers no other format, text 1.0.0 if
    it prefers that to 0.0.4. Any other request gets text 0.0.4 instead of an error.

    Args:
        headers: by lower-case name.

    Example:
        >>> negotiate({"accept": "application/openmetrics-text", "accept-encoding": "gzip"}).compress
        True
    """
    compress = any(
        kind == "gzip" and weight > 0 for kind, _, weight in _offers(headers.get("accept-encoding", ""))
    )
    best, content_type, escaping = 0.0, TEXT, UNDERSCORES
    for kind, parameters, weight in _offers(headers.get("accept", "")):
        supported = _supported_type(kind, parameters.get("version"))
        if supported is None or weight <= 0:
            continue
        # At equal weight, OpenMetrics comes first; of two text versions, the one named first.
        if weight > best or (weight == best and supported == OPENMETRICS and content_type[:4] == "text"):
            best = weight
            content_type, escaping = _with_escaping(supported, parameters.get("escaping"))
    return NegotiatedFormat(content_type, compress, escaping)


def _supported_type(kind: str, version: str | None) -> str | None:
    """Return our Content-Type for an accepted one; None if we do not support it."""
    if kind == _OPENMETRICS_TYPE and version in (None, "0.0.1", "1.0.0"):
        return OPENMETRICS
    if kind == _TEXT_TYPE and version in (None, "0.0.4", "1.0.0"):
        return TEXT_1_0_0 if version == "1.0.0" else TEXT
    return None


def _with_escaping(content_type: str, wanted: str | None) -> tuple[str, str]:
    """Return Content-Type and escaping: ``underscores`` if none or an unknown one is requested.

    Text 0.0.4 has no quoted names.
    """
    if wanted is None and content_type != TEXT_1_0_0:
        return content_type, UNDERSCORES
    escaping = wanted if wanted in SCHEMES else UNDERSCORES
    if content_type == TEXT:
        return content_type, UNDERSCORES if escaping == ALLOW_UTF_8 else escaping
    return f"{content_type}; escaping={escaping}", escaping


def _offers(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield each value of a header, its parameters and its weight: 0 to 1, and 0 if it is invalid."""
    for item in header.split(","):
        value, *rest = (part.strip().lower() for part in item.split(";"))
        pairs = (part.partition("=") for part in rest)
        parameters = {name.strip(): given.strip().strip('"') for name, _, given in pairs}
        yield value, parameters, _weight(parameters.pop("q", "1"))


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
