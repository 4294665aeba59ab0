"""What Loki stores of a push and of an OTLP request, and which entries a query of the dashboards selects.

Source: Grafana Loki, "Ingesting logs to Loki using OpenTelemetry Collector"
and "Log queries". Only the forms of query that the dashboards use are understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

INDEXED_RESOURCE_ATTRIBUTES = ("service.name", "deployment.environment.name")
"""Those of Loki's default list that Tallow's shippers set."""
_SELECTOR = re.compile(r"\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Entry:
    """A log line, its index labels and its structured metadata."""

    line: str
    labels: Mapping[str, str]
    metadata: Mapping[str, str]


def entries_of_push(body: bytes) -> Iterator[Entry]:
    """The entries of a request to ``/loki/api/v1/push``."""
    for stream in orjson.loads(body)["streams"]:
        for _, line, metadata in stream["values"]:
            yield Entry(line, stream["stream"], metadata)


def entry_of_record(
    line: str, resource: Mapping[str, Any], attributes: Mapping[str, Any], **fields: str
) -> Entry:
    """The entry of an OTLP log record.

    Args:
        line: the record's body.
        resource: attributes of the resource.
        attributes: attributes of the record.
        fields: severity text and ids of the record.
    """
    labels = {_name(key): str(resource[key]) for key in INDEXED_RESOURCE_ATTRIBUTES if key in resource}
    rest = {_name(key): str(value) for key, value in resource.items() if _name(key) not in labels}
    own = {_name(key): str(value) for key, value in attributes.items()}
    return Entry(line, labels, {**rest, **own, **{name: value for name, value in fields.items() if value}})


def select(query: str, entries: Iterable[Entry]) -> list[Entry]:
    """The entries that a LogQL log query selects: a selector, then label filters."""
    selector = _SELECTOR.search(query)
    assert selector, f"no selector in {query}"
    filters = query[selector.end() :]
    return [
        entry
        for entry in entries
        if _matches(selector[1], entry.labels) and _matches(filters, {**entry.metadata, **entry.labels})
    ]


def with_variables(query: str, **values: str) -> str:
    """The query with the dashboard's variables replaced."""
    for name, value in values.items():
        query = query.replace(f"${name}", value)
    assert "$" not in query, query
    return query


def _matches(text: str, labels: Mapping[str, str]) -> bool:
    matchers = _MATCHER.findall(text)
    return all(
        re.fullmatch(value, labels.get(name, "")) if operator == "=~" else labels.get(name, "") == value
        for name, operator, value in matchers
    )


def _name(key: str) -> str:
    return re.sub(r"\W", "_", key)
