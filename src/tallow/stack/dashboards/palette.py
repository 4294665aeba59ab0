"""Colours with the same meaning on every panel."""

from __future__ import annotations

from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)

GOOD = "green"
BAD = "red"
NEUTRAL = "text"
"""The colour of a value for which no alert rule has a threshold."""

COLOURS = {
    # Outcomes and methods.
    "success": GOOD,
    "failed": BAD,
    "cancelled": "#8F8F8F",
    "failed key exchanges": "purple",
    "p2p": "blue",
    "direct": "blue",
    "relay": "orange",
    "via server": "#C15C17",
    # Directions.
    "sent": "#2AA198",
    "received": "#D33682",
    "request": "#2AA198",
    "response": "#D33682",
    # Ordered values: higher ones are darker or warmer.
    "low": "light-yellow",
    "medium": "dark-yellow",
    "high": "light-red",
    "critical": "dark-red",
    "p50": "semi-dark-blue",
    "p95": "purple",
    "p99": "#E0559A",
    "under_1mb": "light-blue",
    "1mb_10mb": "semi-dark-blue",
    "10mb_100mb": "purple",
    "100mb_1gb": "#E0559A",
    "over_1gb": "#C15C17",
    "generation 0": "light-blue",
    "generation 1": "semi-dark-blue",
    "generation 2": "purple",
    # Components, for errors and retries.
    "network": "blue",
    "connection": "blue",
    "signaling": "purple",
    "transfer": "orange",
    "chunk": "#2AA198",
    "storage": "#2AA198",
    "crypto": "#C15C17",
    "auth": "#E0559A",
    "validation": "yellow",
    "internal": "dark-blue",
    # Cryptographic operations and ciphers.
    "keygen": "light-blue",
    "encapsulate": "purple",
    "decapsulate": "#E0559A",
    "aes_256_gcm": "semi-dark-blue",
    "chacha20_poly1305": "purple",
}
"""The colour of a series by its name, or by the first word of the name."""


class ColourablePanel(Protocol):
    """A panel builder that accepts overrides by series name."""

    def override_by_name(self, name: str, properties: list[DynamicConfigValue]) -> Self: ...

    def color_scheme(self, color: Builder[models.FieldColor]) -> Self: ...


P = TypeVar("P", bound=ColourablePanel)


def fixed_colour(colour: str) -> DynamicConfigValue:
    """A field property: a fixed colour."""
    return DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})


def with_colours(panel: P, *names: str) -> P:
    """Set the colours of the series ``names`` from :data:`COLOURS`."""
    for name in names:
        panel.override_by_name(name, [fixed_colour(COLOURS.get(name) or COLOURS[name.split()[0]])])
    return panel


def with_positional_colours(panel: P) -> P:
    """Assign colours by position, for names that are not known in advance, such as instances."""
    return panel.color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))


def bad_above(limit: float, *, ok_colour: str = GOOD) -> ThresholdsConfig:
    """Thresholds of a value that is bad from ``limit`` upwards, where the alert rule fires."""
    return _steps(Threshold(None, ok_colour), Threshold(limit, BAD))


def bad_below(limit: float, *, ok_colour: str = GOOD) -> ThresholdsConfig:
    """Thresholds of a value that is bad below ``limit``."""
    return _steps(Threshold(None, BAD), Threshold(limit, ok_colour))


def no_thresholds() -> ThresholdsConfig:
    """One colour for every value, for values without an alert rule."""
    return _steps(Threshold(None, NEUTRAL))


def _steps(*steps: Threshold) -> ThresholdsConfig:
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(list(steps))
