"""The linter accepts the shipped dashboards and rejects a wrong metric, label value or unit in any panel."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tallow.monitoring.catalog import METRICS
from tallow.stack.dashboards import dashboards
from tallow.stack.lint import check_dashboard

pytestmark = pytest.mark.slow

Json = dict[str, Any]
BOARDS = {uid: board for uid, board in dashboards().items() if uid != "tallow-logs"}
PLACES = [(uid, place) for uid, board in BOARDS.items() for place in range(len(board["panels"]))]
each_panel = pytest.mark.parametrize(
    ("uid", "place"), PLACES, ids=[f"{uid}-{BOARDS[uid]['panels'][place]['title']}" for uid, place in PLACES]
)
WRONG_UNITS = ("", "ms", "percent", "bits", "celsius")
OWN = re.compile(r"tallow_\w+")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"$]+)"')


def rules_broken(uid: str, place: int, change: Callable[[Json], None]) -> set[str]:
    """The linter rules that one panel breaks after a change."""
    mutant = copy.deepcopy(BOARDS[uid])
    panel = mutant["panels"][place]
    change(panel)
    problems = check_dashboard(mutant, where=f"{uid}.json")
    return {problem.rule for problem in problems if panel["title"] in problem.where}


def mutants(uid: str, place: int, spoil: Callable[[str], Iterator[str]]) -> Iterator[tuple[str, set[str]]]:
    """Each changed expression of each target, and the rules that it breaks."""
    for index, target in enumerate(BOARDS[uid]["panels"][place]["targets"]):
        for expr in spoil(target["expr"]):

            def change(panel: Json, index: int = index, expr: str = expr) -> None:
                panel["targets"][index]["expr"] = expr

            yield expr, rules_broken(uid, place, change)


def misspelled_metrics(expr: str) -> Iterator[str]:
    """Each metric of Tallow, misspelled."""
    for found in OWN.finditer(expr):
        yield f"{expr[: found.start()]}{found[0]}x{expr[found.end() :]}"


def unknown_labels(expr: str) -> Iterator[str]:
    """Each selector with a label that its metric does not have."""
    for found in OWN.finditer(expr):
        yield f'{expr[: found.end()]}{{flavour="sour", {expr[found.end() + 1 :]}'


def wrong_values(expr: str) -> Iterator[str]:
    """Each literal value, misspelled, and each closed label with an unknown value."""
    for found in MATCHER.finditer(expr):
        if found[1] != "route":  # guarded: any route may be registered
            yield f"{expr[: found.end() - 1]}x{expr[found.end() - 1 :]}"
    for found in OWN.finditer(expr):
        name = re.sub(r"_(bucket|sum|count)$", "", found[0].removeprefix("tallow_"))
        for label in METRICS[name].labels:
            if not label.registered:
                yield f'{expr[: found.end()]}{{{label.name}="sour", {expr[found.end() + 1 :]}'


@pytest.mark.parametrize("uid", dashboards())
def test_shipped_dashboard_is_clean(uid: str) -> None:
    assert check_dashboard(dashboards()[uid], where=f"{uid}.json") == []


@each_panel
def test_wrong_metric_is_rejected(uid: str, place: int) -> None:
    found = list(mutants(uid, place, misspelled_metrics))
    assert found
    assert [expr for expr, rules in found if "catalog/metric" not in rules] == []


@each_panel
def test_wrong_label_is_rejected(uid: str, place: int) -> None:
    found = list(mutants(uid, place, unknown_labels))
    assert found
    assert [expr for expr, rules in found if "catalog/label" not in rules] == []


@each_panel
def test_wrong_label_value_is_rejected(uid: str, place: int) -> None:
    found = list(mutants(uid, place, wrong_values))
    assert [expr for expr, rules in found if "catalog/value" not in rules] == []


def test_most_panels_select_a_label_value() -> None:
    """The others read metrics without a closed label, such as memory, CPU and queue depth."""
    assert sum(any(True for _ in mutants(uid, place, wrong_values)) for uid, place in PLACES) > 30


@each_panel
@pytest.mark.parametrize("unit", WRONG_UNITS)
def test_wrong_unit_is_rejected(uid: str, place: int, unit: str) -> None:
    def change(panel: Json) -> None:
        panel["fieldConfig"]["defaults"]["unit"] = unit

    assert "panel/unit" in rules_broken(uid, place, change)


def test_wrong_unit_of_one_series_is_rejected() -> None:
    """Panels with a second axis have a unit for its series."""
    spoilt = 0
    for uid, place in PLACES:
        for index, override in enumerate(BOARDS[uid]["panels"][place]["fieldConfig"]["overrides"]):
            for at, item in enumerate(override["properties"]):
                if item["id"] == "unit":

                    def change(panel: Json, index: int = index, at: int = at) -> None:
                        panel["fieldConfig"]["overrides"][index]["properties"][at]["value"] = "ms"

                    assert "panel/unit" in rules_broken(uid, place, change), (uid, place)
                    spoilt += 1
    assert spoilt == 3
