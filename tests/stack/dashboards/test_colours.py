"""A colour has the same meaning on every panel."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from tallow.monitoring.catalog import METRICS
from tallow.stack.dashboards import dashboards


def test_a_series_name_has_one_colour_everywhere() -> None:
    colours: dict[str, set[str]] = defaultdict(set)
    for board in dashboards().values():
        for panel in board["panels"]:
            for override in panel["fieldConfig"]["overrides"]:
                for item in override["properties"]:
                    if item["id"] == "color":
                        colours[override["matcher"]["options"]].add(item["value"]["fixedColor"])
    assert colours["success"] == {"green"}
    assert colours["failed"] == {"red"}
    assert colours["p2p"] == colours["direct"] == {"blue"}
    assert colours["relay"] == {"orange"}
    assert {name: found for name, found in colours.items() if len(found) > 1} == {}


def test_a_series_with_a_colour_exists_on_its_panel() -> None:
    for board in dashboards().values():
        for panel in board["panels"]:
            legends = [target["legendFormat"] for target in panel["targets"] if target.get("legendFormat")]
            for override in panel["fieldConfig"]["overrides"]:
                if override["matcher"]["id"] == "byName":
                    name = override["matcher"]["options"]
                    assert any(legend == name or "{{" in legend for legend in legends), (panel["title"], name)


def test_every_value_of_a_closed_label_has_a_colour() -> None:
    """Colours by position would differ between panels."""
    panels = [
        panel for uid, board in dashboards().items() if uid != "tallow-logs" for panel in board["panels"]
    ]
    for panel in panels:
        if panel["type"] in {"timeseries", "piechart"}:
            coloured = {
                override["matcher"]["options"]
                for override in panel["fieldConfig"]["overrides"]
                if override["matcher"]["id"] == "byName"
            }
            mode = panel["fieldConfig"]["defaults"].get("color", {}).get("mode")
            by_position = mode == "palette-classic"
            for target in panel["targets"]:
                names = drawn(target)
                assert by_position == ("{{instance}}" in target["legendFormat"]), panel["title"]
                assert by_position or names <= coloured, panel["title"]


def drawn(target: Any) -> set[str]:
    """The names of a target's series, if its labels are closed."""
    legend = target["legendFormat"]
    [name, *_] = re.findall(r"tallow_(\w+)", target["expr"])
    metric = METRICS[re.sub(r"_(bucket|sum)$", "", name)]
    names = {legend}
    for label in re.findall(r"\{\{(\w+)\}\}", legend):
        values = next((found.values for found in metric.labels if found.name == label), ())
        names = {name.replace(f"{{{{{label}}}}}", value) for name in names for value in values}
    return names
