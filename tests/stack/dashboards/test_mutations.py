"""The shipped dashboards are clean, and one wrong metric, label value or unit in any panel is caught."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from tallow.stack.dashboards import dashboards
from tallow.stack.lint import check_dashboard

Json = dict[str, Any]
PLACES = [
    (uid, place, panel["title"])
    for uid, board in dashboards().items()
    if uid != "tallow-logs"
    for place, panel in enumerate(board["panels"])
]
each_panel = pytest.mark.parametrize(
    ("uid", "place"),
    [(uid, place) for uid, place, _ in PLACES],
    ids=[f"{uid}-{title}" for uid, _, title in PLACES],
)
WRONG_UNITS = ("ms", "percent", "bits", "celsius")


def rules_broken(board: Json, uid: str, place: int, **change: Any) -> set[str]:
    """Rules the linter finds broken in one panel once its first target or its unit is changed."""
    mutant = copy.deepcopy(board)
    panel = mutant["panels"][place]
    if "unit" in change:
        panel["fieldConfig"]["defaults"]["unit"] = change["unit"]
    else:
        panel["targets"][0]["expr"] = change["expr"]
    problems = check_dashboard(mutant, where=f"{uid}.json")
    return {problem.rule for problem in problems if panel["title"] in problem.where}


@pytest.mark.parametrize("uid", dashboards())
def test_shipped_dashboard_is_clean(uid: str) -> None:
    assert check_dashboard(dashboards()[uid], where=f"{uid}.json") == []


@each_panel
def test_wrong_metric_is_caught(uid: str, place: int) -> None:
    board = dashboards()[uid]
    expr = board["panels"][place]["targets"][0]["expr"]
    for name in set(re.findall(r"tallow_\w+", expr)):
        misspelled = expr.replace(name, name.replace("tallow_", "tallow_x"), 1)
        assert "catalog/metric" in rules_broken(board, uid, place, expr=misspelled), name


@each_panel
def test_wrong_label_value_is_caught(uid: str, place: int) -> None:
    board = dashboards()[uid]
    expr = board["panels"][place]["targets"][0]["expr"]
    name = re.findall(r"tallow_\w+", expr)[0]
    # Every selector starts with the variables; a label's wrong value is added behind, or changed in place.
    closed = re.search(r'(status|severity|direction|le)=~?"([^"$]+)"', expr)
    if closed:
        wrong = expr.replace(closed[0], closed[0].replace(closed[2], f"{closed[2]}x"), 1)
        assert "catalog/value" in rules_broken(board, uid, place, expr=wrong)
    unknown = expr.replace(f"{name}{{", f'{name}{{flavour="sour", ', 1)
    assert "catalog/label" in rules_broken(board, uid, place, expr=unknown)


@each_panel
@pytest.mark.parametrize("unit", WRONG_UNITS)
def test_wrong_unit_is_caught(uid: str, place: int, unit: str) -> None:
    assert "panel/unit" in rules_broken(dashboards()[uid], uid, place, unit=unit)


@each_panel
def test_missing_unit_is_caught(uid: str, place: int) -> None:
    assert "panel/unit" in rules_broken(dashboards()[uid], uid, place, unit="")
