"""Every alert over time, as Prometheus evaluates it: when it fires, when it stays quiet, when it resolves."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.alerts.cases import availability, others, performance, transfers
from support.promtool import Case, check
from tallow.stack.alerts import rule_document

CASES: list[Case] = [*availability.CASES, *performance.CASES, *transfers.CASES, *others.CASES]


@pytest.mark.parametrize("case", CASES, ids=str)
def test(case: Case, tmp_path: Path) -> None:
    assert check([case], rule_document(), tmp_path) == ""
