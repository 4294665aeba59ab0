"""Load the metrics that ``--metrics`` names: a file, a folder, a scrape URL or a Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from tallow.monitoring.integrations.http_client import client
from tallow.stack.prove.duration import DurationError, parse_duration
from tallow.stack.prove.metrics.exposition import ExpositionError, parse_exposition
from tallow.stack.prove.metrics.model import KnownMetrics, SeriesFamily, merged

MAX_BYTES: Final = 200_000_000
TIMEOUT_S: Final = 30.0
_ACCEPT: Final = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5"


class SourceError(Exception):
    """A source cannot be read. The text is one line."""


def load_metrics(source: str, names: Iterable[str]) -> KnownMetrics:
    """The metrics of a source.

    Args:
        source: a path, or an address that begins with ``http://`` or ``https://``.
        names: the series names that rules read; a Prometheus is asked for the labels of these only.

    Raises:
        SourceError: it cannot be read, or is neither an exposition nor a Prometheus.
    """
    if source.startswith(("http://", "https://")):
        return _from_url(source, names)
    path = Path(source)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        if not files:
            raise SourceError(f"{source}: the folder has no files")
        return replace(merged([_from_file(file) for file in files]), origin=source)
    return _from_file(path)


def _from_file(path: Path) -> KnownMetrics:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB")
        return parse_exposition(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path}: not UTF-8 text") from None
    except ExpositionError as error:
        raise SourceError(str(error)) from None


def _from_url(url: str, names: Iterable[str]) -> KnownMetrics:
    shown = _without_password(url)
    try:
        with client(timeout=TIMEOUT_S, follow_redirects=True) as http:
            api = _prometheus_names(http, url)
            if api is not None:
                return _from_prometheus(http, url, api, names)
            answer = http.get(url, headers={"accept": _ACCEPT})
            answer.raise_for_status()
            return parse_exposition(answer.text, shown)
    except httpx.HTTPStatusError as error:
        raise SourceError(f"{shown}: answered {error.response.status_code}") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise SourceError(f"{shown}: {type(error).__name__}: cannot be read") from None
    except ExpositionError as error:
        raise SourceError(str(error)) from None


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the address"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _prometheus_names(http: httpx.Client, url: str) -> list[str] | None:
    """All metric names of a Prometheus; None if the address is not one."""
    answer = http.get(f"{url.rstrip('/')}/api/v1/label/__name__/values")
    if not answer.is_success or "json" not in answer.headers.get("content-type", ""):
        return None
    body = answer.json()
    data = body.get("data") if isinstance(body, dict) else None
    return [str(name) for name in data] if isinstance(data, list) else None


def _from_prometheus(http: httpx.Client, url: str, every: list[str], names: Iterable[str]) -> KnownMetrics:
    base = url.rstrip("/")
    metadata: dict[str, Any] = http.get(f"{base}/api/v1/metadata").raise_for_status().json()["data"]
    families = {name: SeriesFamily(name, _type(name, metadata)) for name in every}
    labels: list[frozenset[str]]
    for name in set(names) & families.keys():
        answer = http.get(f"{base}/api/v1/series", params={"match[]": f'{{__name__="{name}"}}'})
        series: list[dict[str, str]] = answer.raise_for_status().json()["data"]
        labels = [frozenset(one) - {"__name__"} for one in series]
        common = labels[0].intersection(*labels) if labels else frozenset()
        families[name] = SeriesFamily(name, families[name].type, _values(series), common)
    return KnownMetrics(_without_password(url), families, True, _shortest_interval(http, base))


def _shortest_interval(http: httpx.Client, base: str) -> float | None:
    """The shortest scrape interval of a Prometheus's targets; None if its version does not tell it."""
    answer = http.get(f"{base}/api/v1/targets", params={"state": "active"})
    if not answer.is_success:
        return None
    texts = [str(target.get("scrapeInterval", "")) for target in answer.json()["data"]["activeTargets"]]
    try:
        return min(map(parse_duration, texts), default=None)
    except DurationError:
        return None


def _type(name: str, metadata: dict[str, Any]) -> str:
    for stem in (name, *(name.removesuffix(part) for part in ("_bucket", "_sum", "_count", "_total"))):
        if entries := metadata.get(stem):
            return str(entries[0].get("type", ""))
    return ""


def _values(series: list[dict[str, str]]) -> dict[str, frozenset[str]]:
    labels: dict[str, set[str]] = {}
    for one in series:
        for label, value in one.items():
            if label != "__name__":
                labels.setdefault(label, set()).add(value)
    return {label: frozenset(found) for label, found in labels.items()}
