"""Cases from public bug reports and real log formats: ``field.jsonl``, one case a line.

``must_not_contain`` names fragments that no leaf of the output may hold. ``must_contain`` names fragments
that must still be there; a leaf under a key counts as ``key=value``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tallow.monitoring.privacy import Scrubber

CASES = [
    json.loads(line)
    for line in Path(__file__).with_name("field.jsonl").read_text(encoding="utf-8").splitlines()
]


def leaves(value: Any, name: str = "") -> Iterator[str]:
    """Each leaf, and each leaf as ``key=value``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from leaves(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, name)
    else:
        yield str(value)
        yield f"{name}={value}"


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_from_the_field(case: dict[str, Any]) -> None:
    shown = "\n".join(leaves(Scrubber().value(case["input"])))
    assert [fragment for fragment in case["must_not_contain"] if fragment in shown] == []
    assert [fragment for fragment in case["must_contain"] if fragment not in shown] == []


def test_the_file_is_whole() -> None:
    assert len(CASES) == 75
