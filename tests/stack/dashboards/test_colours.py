"""A colour means the same on every panel."""

from __future__ import annotations

from collections import defaultdict

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


def test_a_coloured_series_is_one_the_panel_can_have() -> None:
    for board in dashboards().values():
        for panel in board["panels"]:
            legends = [target["legendFormat"] for target in panel["targets"] if target.get("legendFormat")]
            for override in panel["fieldConfig"]["overrides"]:
                if override["matcher"]["id"] == "byName":
                    name = override["matcher"]["options"]
                    assert any(legend == name or "{{" in legend for legend in legends), (panel["title"], name)
