"""Which format a scraper is answered in, and whether compressed (RFC 9110, sections 12.4 and 12.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tallow.monitoring.exposition import OPENMETRICS, TEXT


def negotiate(headers: Mapping[str, str]) -> tuple[str, bool]:
    """Content-Type and whether to compress, from ``accept`` and ``accept-encoding``.

    OpenMetrics is for who names it, in a version that we write, and prefers nothing else; text is for
    everybody else, whatever was asked for: a scraper can do more with it than with a refusal.
    """
    openmetrics, text = 0.0, 0.0
    for kind, parameters, weight in _offers(headers.get("accept", "")):
        if kind == "application/openmetrics-text" and parameters.get("version", "1.0.0") in (
            "0.0.1",
            "1.0.0",
        ):
            openmetrics = max(openmetrics, weight)
        elif kind == "text/plain":
            text = max(text, weight)
    compress = any(
        kind == "gzip" and weight > 0 for kind, _, weight in _offers(headers.get("accept-encoding", ""))
    )
    return (OPENMETRICS if openmetrics > 0 and openmetrics >= text else TEXT), compress


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
