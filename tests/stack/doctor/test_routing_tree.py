"""The routing algorithm agrees with amtool, for the shipped configuration and for harder ones."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.programs.debian import program
from tallow.stack.doctor.routing_tree import receivers_of
from tallow.stack.routing import files
from tallow.stack.routing.matrix import CATEGORIES, SEVERITIES

SHIPPED = yaml.safe_load(next(text for path, text in files().items() if path.name == "alertmanager.yml"))
NESTED: dict[str, Any] = {
    "route": {
        "receiver": "root",
        "routes": [
            {
                "matchers": ['severity=~"critical|warning"', 'category!="security"'],
                "continue": True,
                "routes": [{"receiver": "inner", "matchers": ['category="transfers"']}],
            },
            {"receiver": "old", "match": {"severity": "critical"}, "continue": True},
            {"receiver": "pattern", "match_re": {"category": "secur.*|caching"}},
            {"receiver": "absent", "matchers": ['category!~"transfers|.*ing"', 'missing=""']},
        ],
    },
    "receivers": [{"name": name} for name in ("root", "inner", "old", "pattern", "absent")],
}
LABELS = [
    {"alertname": name, "severity": severity, "category": category}
    for name, severity, category in itertools.product(("Watchdog", "X"), SEVERITIES, CATEGORIES)
]


def without_files(config: dict[str, Any]) -> dict[str, Any]:
    return {"route": config["route"], "receivers": [{"name": one["name"]} for one in config["receivers"]]}


@pytest.mark.parametrize("config", [without_files(SHIPPED), NESTED], ids=["shipped", "nested"])
def test_receivers_are_those_that_amtool_names(config: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    for labels in LABELS[:: 1 if config is NESTED else 3]:
        words = [f"{name}={value}" for name, value in labels.items()]
        command = [str(program("amtool")), "config", "routes", "test", f"--config.file={file}", *words]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert ",".join(receivers_of(config, labels)) == printed.strip(), labels


@pytest.mark.parametrize(
    "config", [{}, {"route": []}, {"route": {"routes": [{"matchers": ["no matcher"]}]}}], ids=str
)
def test_what_is_no_configuration_is_an_error(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"route|matcher"):
        receivers_of(config, {"alertname": "X"})
