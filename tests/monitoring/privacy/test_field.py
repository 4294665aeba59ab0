"""Cases from public bug reports and real log formats hold (``field.jsonl``)."""

from __future__ import annotations

from typing import Any

import pytest

from support.privacy import field_cases
from tallow.monitoring.privacy import Scrubber

CASES = field_cases.cases()


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_from_the_field(case: dict[str, Any]) -> None:
    assert field_cases.faults(case, Scrubber().value(case["input"])) == []


def test_the_file_is_whole() -> None:
    assert len(CASES) == 75
