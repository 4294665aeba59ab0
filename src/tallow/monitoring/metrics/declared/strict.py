"""Strict mode: what is recorded wrongly raises, so that a test finds it."""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "TALLOW_METRICS_STRICT"
"""``1`` to raise, ``0`` not to. By default pytest decides: a test raises, a service counts."""


def is_strict() -> bool:
    """Whether a wrong use of a declared metric raises ValueError instead of being counted only."""
    chosen = os.environ.get(VARIABLE, "").strip().lower()
    if chosen:
        return chosen not in {"0", "false", "no", "off"}
    return "PYTEST_CURRENT_TEST" in os.environ
