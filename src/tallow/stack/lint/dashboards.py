"""Check a dashboard: its properties, variables, grid and panels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import promql_parser as ast

from tallow.stack.lint.exceptions import without_exempt
from tallow.stack.lint.panels import Json, panel_rules, target_rules
from tallow.stack.lint.problem import Problem
from tallow.stack.lint.promql import catalog_rules
from tallow.stack.lint.promql.catalog_rules import Finding
from tallow.stack.lint.promql.expressions import check_expression
from tallow.stack.lint.promql.templating import variables
from tallow.stack.lint.promql.vocabulary import EXPOSED

COLUMNS = 24
_LABEL_VALUES = re.compile(r"label_values\((?:(?P<selector>.+),\s*)?(?P<label>\w+)\)")
_INTERPOLATED = frozenset({"expr", "uid", "query", "legendFormat", "title", "url"})
"""Fields in which Grafana replaces variables."""


def check_dashboard(json: Json, *, where: str) -> list[Problem]:
    """The problems of a dashboard.

    Args:
        json: Grafana's JSON model.
        where: the file, for messages; problems of a panel add its title.

    >>> from tallow.stack.dashboards import dashboards
    >>> check_dashboard(dashboards()["tallow-errors"], where="tallow-errors.json")
    []
    """
    problems = [Problem(where, rule, message) for rule, message in _dashboard_rules(json)]
    for panel in json["panels"]:
        place = f"{where}: {panel['title']}"
        found = list(panel_rules(panel))
        for target in panel.get("targets", []):
            if target.get("datasource", panel.get("datasource", {})).get("type") == "prometheus":
                problems += check_expression(target["expr"], where=place)
                found += target_rules(panel, target)
        problems += [Problem(place, rule, message) for rule, message in dict.fromkeys(found)]
    for annotation in json.get("annotations", {}).get("list", []):
        problems += check_expression(annotation["expr"], where=f"{where}: {annotation['name']}")
    return without_exempt(dict.fromkeys(problems))


def _dashboard_rules(json: Json) -> Iterator[Finding]:
    yield from _identity(json)
    yield from _variables(json)
    yield from _grid(json["panels"])
    for holder in (*json.get("annotations", {}).get("list", []), *json["templating"]["list"]):
        source = holder.get("datasource")
        if source is not None and not str(source.get("uid", "")).startswith("${"):
            yield (
                "panel/datasource",
                f"'{holder['name']}' is bound to one data source: use ${{datasource}}",
            )


def _identity(json: Json) -> Iterator[Finding]:
    if not json.get("uid"):
        yield "dashboard/identity", "no uid: links to the dashboard would break with every import"
    if not json.get("tags"):
        yield "dashboard/identity", "no tags: searches do not find it"
    for field in ("title", "id"):
        for value, times in Counter(panel[field] for panel in json["panels"]).items():
            if times > 1:
                yield "dashboard/identity", f"{times} panels have the {field} '{value}'"


def _variables(json: Json) -> Iterator[Finding]:
    defined = {variable["name"]: variable for variable in json["templating"]["list"]}
    used = _used_variables(json, defined)
    for name in sorted(set(defined) - used):
        yield "dashboard/variable", f"the variable '{name}' is not used"
    for name in sorted(name for name in used - set(defined) if not name.startswith("__")):
        yield "dashboard/variable", f"the variable '{name}' is not defined"
    for variable in defined.values():
        if variable["type"] == "query":
            yield from _variable_query(str(variable["query"]))


def _used_variables(json: Json, defined: dict[str, Json]) -> set[str]:
    """The variables of panels and annotations, and those in the queries of used variables."""
    used = _used(json["panels"]) | _used(json.get("annotations", {}))
    pending = used & set(defined)
    while pending:
        needed = _used(defined[pending.pop()]) - used
        used |= needed
        pending |= needed & set(defined)
    return used


def _used(part: Any) -> set[str]:
    """The variables in those fields of a JSON value in which Grafana replaces them."""
    if isinstance(part, list):
        return set().union(*(_used(item) for item in part))
    if not isinstance(part, dict):
        return set()
    found: set[str] = set()
    for key, value in part.items():
        found |= variables(value) if key in _INTERPOLATED and isinstance(value, str) else _used(value)
    return found


def _variable_query(query: str) -> Iterator[Finding]:
    found = _LABEL_VALUES.fullmatch(query)
    if found is None or found["selector"] is None:
        yield "dashboard/variable", f"'{query}' is not label_values(metric, label)"
        return
    try:
        selector = ast.parse(found["selector"])
    except ValueError as error:
        yield "promql/syntax", f"{error}: {query}"
        return
    if isinstance(selector, ast.VectorSelector):
        yield from catalog_rules.selector_names(selector)
        exposed = EXPOSED.get(selector.name or "")
        if exposed is not None and found["label"] not in exposed.labels:
            yield "catalog/label", f"'{selector.name}' has no label '{found['label']}'"


def _grid(panels: list[Json]) -> Iterator[Finding]:
    cells = Counter(cell for panel in panels for cell in _cells(panel["gridPos"]))
    bottom = max((y for _, y in cells), default=-1)
    if any(x >= COLUMNS for x, _ in cells):
        yield "dashboard/layout", f"a panel reaches beyond column {COLUMNS}"
    if max(cells.values(), default=0) > 1:
        yield "dashboard/layout", "panels overlap"
    if any((x, y) not in cells for x in range(COLUMNS) for y in range(bottom + 1)):
        yield "dashboard/layout", "the grid has holes"


def _cells(position: Json) -> Iterator[tuple[int, int]]:
    columns = range(position["x"], position["x"] + position["w"])
    rows = range(position["y"], position["y"] + position["h"])
    return product(columns, rows)
