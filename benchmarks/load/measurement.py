"""What a load test measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

Measurement = dict[str, float]
"""Figures by name. Each name ends with its unit."""


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least ``percent`` of all samples do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
