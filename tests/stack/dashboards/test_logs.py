"""The logs dashboard finds the lines of the library's push; Grafana links ids and exemplars to it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import yaml

from support.loki_entries import Entry, entries_of_push, select, with_variables
from tallow.monitoring.shipping.batch import Batch
from tallow.stack.dashboards import FOLDER, dashboards, files, logs

ID = "ab" * 16
MOMENT = "2026-01-31T08:00:00.000Z"
FIELDS = {"timestamp": MOMENT, "service": "tallow", "environment": "test", "message": "x"}


def pushed(**fields: str) -> Entry:
    [entry] = entries_of_push(Batch([orjson.dumps(FIELDS | fields)]).as_loki())
    return entry


def datasource(kind: str) -> Any:
    sources = yaml.safe_load(files()[FOLDER / "grafana-datasources.yml"])["datasources"]
    [found] = [source for source in sources if source["type"] == kind]
    return found


def test_lines_are_found_by_level_and_by_the_start_of_an_id() -> None:
    error, info = pushed(level="error", correlation_id=ID), pushed(level="info")
    everything = with_variables(logs.LINES, level=".*", correlation_id="")
    assert select(everything, [error, info]) == [error, info]
    errors = with_variables(logs.LINES, level="(error|fatal)", correlation_id="")
    assert select(errors, [error, info]) == [error]
    of_one_id = with_variables(logs.LINES, level=".*", correlation_id=ID[:8])
    assert select(of_one_id, [error, info]) == [error]


def test_lines_of_other_services_are_not_found() -> None:
    everything = with_variables(logs.LINES, level=".*", correlation_id="")
    assert select(everything, [pushed(service="shop", level="error")]) == []


def test_a_selector_by_level_finds_nothing() -> None:
    """Level is structured metadata: this is the mistake that the dashboard must not make."""
    assert select('{service_name="tallow", level="error"}', [pushed(level="error")]) == []


def test_no_query_selects_by_more_than_the_service() -> None:
    targets = [target for panel in dashboards()[logs.UID]["panels"] for target in panel["targets"]]
    queries = [target["expr"] for target in targets if target["datasource"]["type"] == "loki"]
    assert [re.findall(r"\{([^}]*)\}", query) for query in queries] == [['service_name="tallow"']] * 2


def test_a_line_s_correlation_id_links_to_all_lines_with_it() -> None:
    [field] = datasource("loki")["jsonData"]["derivedFields"]
    assert field["datasourceUid"] == datasource("loki")["uid"]
    query = field["url"].replace("$${__value.raw}", ID)
    line = pushed(level="info", correlation_id=ID)
    assert select(query, [line, pushed(level="info", correlation_id="cd" * 16)]) == [line]
    assert (field["matcherType"], field["matcherRegex"]) == ("label", "correlation_id")


def test_an_exemplar_links_to_the_log_lines_of_its_id() -> None:
    [destination] = datasource("prometheus")["jsonData"]["exemplarTraceIdDestinations"]
    url = urlsplit(destination["url"].replace("$${__value.raw}", ID))
    assert url.path == f"/d/{logs.UID}"
    [variable] = [name for name in parse_qs(url.query) if name.startswith("var-")]
    names = {item["name"] for item in dashboards()[logs.UID]["templating"]["list"]}
    assert variable.removeprefix("var-") in names
    assert destination["name"] == "correlation_id"  # the label of the library's exemplars


def test_panels_of_request_and_transfer_durations_show_exemplars() -> None:
    shown = {
        (uid, panel["title"])
        for uid, board in dashboards().items()
        for panel in board["panels"]
        for target in panel["targets"]
        if target.get("exemplar")
    }
    assert shown == {
        ("tallow-performance", "HTTP request duration p50, p95, p99"),
        ("tallow-transfers", "Duration by size category"),
    }
