"""Find which alerts of a checkout have runbooks, promtool tests and drills."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from tallow.stack.lint.alerts import Evidence

RUNBOOKS = PurePosixPath("docs/runbooks")
CASES = PurePosixPath("tests/stack/alerts/cases")
_DRILLS = "tallow.stack.drill.catalog"
_NAME = re.compile(r'"([A-Z][A-Za-z]+)"')


def gather_evidence(root: Path) -> Evidence:
    """The evidence below ``root``; tests are not checked if it has no folder of cases."""
    cases = list((root / CASES).glob("*.py"))
    return Evidence(
        runbooks={page.stem for page in (root / RUNBOOKS).glob("*.md")},
        tests={name for path in cases for name in _NAME.findall(path.read_text("utf-8"))} if cases else None,
        drills=_drills(),
    )


def _drills() -> Collection[str] | None:
    """Alerts that have a drill; None if no drills are installed."""
    package = _DRILLS.rpartition(".")[0]
    if importlib.util.find_spec(package) is None or importlib.util.find_spec(_DRILLS) is None:
        return None
    drills: Collection[str] = importlib.import_module(_DRILLS).DRILLS
    return drills
