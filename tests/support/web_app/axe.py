"""axe-core in a tab: the accessibility rules that a program can check."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from support.web_app.tabs import ChromiumTab

PACKAGE: Final = Path(__file__).parents[3] / "web" / "app" / "node_modules" / "axe-core" / "axe.min.js"
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def _source() -> str:
    if not PACKAGE.exists():
        pytest.skip("axe-core is not here; scripts/web-app brings it")
    return PACKAGE.read_text()


def violations(tab: ChromiumTab) -> list[str]:
    """What axe finds on the page, one line for each element."""
    tab.page.evaluate(_source())
    options = json.dumps({"runOnly": _RULES, "resultTypes": ["violations"]})
    found = tab.run(f"axe.run(document, {options})")["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:120]}" for rule in found for node in rule["nodes"]
    ]
