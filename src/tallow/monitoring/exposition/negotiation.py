"""Which format a scraper is answered in, and whether compressed (RFC 9110, sections 12.4 and 12.5).

Source of the formats' names: https://prometheus.io/docs/instrumenting/content_negotiation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tallow.monitoring.exposition.escaping import ALLOW_UTF_8, SCHEMES, UNDERSCORES
from tallow.monitoring.exposition.text import OPENMETRICS, TEXT, TEXT_1_0_0

_OPENMETRICS_TYPE: Final = "application/openmetrics-text"
_TEXT_TYPE: Final = "text/plain"


class Negotiated(NamedTuple):
    """How a scrape is answered."""

    content_type: str
    """The answer's Content-Type; names the escaping where the scraper did."""
    compress: bool
    """Whether gzip is used."""
    escaping: str = UNDERSCORES
    """How names outside the classic character set are written (see ``escaping.py``)."""

    @property
    def openmetrics(self) -> bool:
        """Whether the format is OpenMetrics."""
        return self.content_type.startswith(_OPENMETRICS_TYPE)


def negotiate(headers: Mapping[str, str]) -> Negotiated:
    """The format, the escaping and whether to compress, from ``accept`` and ``accept-encoding``.

    OpenMetrics is for who names it, in a version that we write, and prefers nothing else; text is for
    everybody else, whatever was asked for: a scraper can do more with it than with a refusal. Text 1.0.0 is
    for who prefers it to 0.0.4.
    """
    compress = any(
        kind == "gzip" and weight > 0 for kind, _, weight in _offers(headers.get("accept-encoding", ""))
    )
    best, content_type, escaping = 0.0, TEXT, UNDERSCORES
    for kind, parameters, weight in _offers(headers.get("accept", "")):
        written = _written(kind, parameters.get("version"))
        if written is None or weight <= 0:
            continue
        # At equal weight OpenMetrics goes first; of two texts the one that was named first.
        if weight > best or (weight == best and written == OPENMETRICS and content_type[:4] == "text"):
            best = weight
            content_type, escaping = _with_escaping(written, parameters.get("escaping"))
    return Negotiated(content_type, compress, escaping)


def _written(kind: str, version: str | None) -> str | None:
    """The Content-Type we write for one that is offered; None if it is none of ours."""
    if kind == _OPENMETRICS_TYPE and version in (None, "0.0.1", "1.0.0"):
        return OPENMETRICS
    if kind == _TEXT_TYPE and version in (None, "0.0.4", "1.0.0"):
        return TEXT_1_0_0 if version == "1.0.0" else TEXT
    return None


def _with_escaping(content_type: str, wanted: str | None) -> tuple[str, str]:
    """Content-Type and escaping: ``underscores`` where none is named or it is not known. Text 0.0.4 has no
    quoted names."""
    if wanted is None and content_type != TEXT_1_0_0:
        return content_type, UNDERSCORES
    escaping = wanted if wanted in SCHEMES else UNDERSCORES
    if content_type == TEXT:
        return content_type, UNDERSCORES if escaping == ALLOW_UTF_8 else escaping
    return f"{content_type}; escaping={escaping}", escaping


def _offers(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Each value of a header, its parameters, and its weight: 0 to 1, and 0 if it is no such number."""
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
