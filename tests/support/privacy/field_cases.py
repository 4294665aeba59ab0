"""Cases from public bug reports and real log formats: ``field.jsonl``, one case a line.

``must_not_contain`` names fragments that no leaf of the output may hold. ``must_contain`` names fragments
that must still be there; a leaf under a key counts as ``key=value``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parents[2] / "monitoring" / "privacy" / "field.jsonl"


def cases() -> list[dict[str, Any]]:
    """Every case."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def faults(case: dict[str, Any], output: Any) -> list[str]:
    """Fragments that the output of a case still holds, or holds no more."""
    shown = "\n".join(_leaves(output))
    return [fragment for fragment in case["must_not_contain"] if fragment in shown] + [
        fragment for fragment in case["must_contain"] if fragment not in shown
    ]


def _leaves(value: Any, name: str = "") -> Iterator[str]:
    """Each leaf, and each leaf as ``key=value``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _leaves(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield str(value)
        yield f"{name}={value}"
