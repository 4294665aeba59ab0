"""Colours that mean the same on every panel."""

from __future__ import annotations

from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Threshold, ThresholdsMode

GOOD = "green"
BAD = "red"
PLAIN = "text"
"""A number that is neither: nothing in the alert contract judges it."""

MEANING = {
    "success": GOOD,
    "failed": BAD,
    "cancelled": "#8F8F8F",
    "p2p": "blue",
    "direct": "blue",
    "relay": "orange",
    "sent": "#2AA198",
    "received": "#D33682",
    "request": "#2AA198",
    "response": "#D33682",
    "low": "light-yellow",
    "medium": "dark-yellow",
    "high": "light-red",
    "critical": "dark-red",
    "p50": "light-purple",
    "p95": "purple",
    "p99": "dark-purple",
}
"""The first word of a series' name to its colour. Requests arrive and answers leave, as data does."""


class Coloured(Protocol):
    """A panel builder that takes overrides by series name."""

    def override_by_name(self, name: str, properties: list[DynamicConfigValue]) -> Self: ...


P = TypeVar("P", bound=Coloured)


def fixed(colour: str) -> DynamicConfigValue:
    """A field property: this colour and no other."""
    return DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})


def coloured(panel: P, *names: str) -> P:
    """Give the series ``names`` the colour their first word means."""
    for name in names:
        panel.override_by_name(name, [fixed(MEANING[name.split()[0]])])
    return panel


def above(limit: float, *, fine: str = GOOD) -> ThresholdsConfig:
    """Bad from ``limit`` upwards: where the alert rule fires."""
    return _steps(Threshold(None, fine), Threshold(limit, BAD))


def below(limit: float, *, fine: str = GOOD) -> ThresholdsConfig:
    """Bad under ``limit``."""
    return _steps(Threshold(None, BAD), Threshold(limit, fine))


def unjudged() -> ThresholdsConfig:
    """One colour for every value: no alert rule looks at it."""
    return _steps(Threshold(None, PLAIN))


def _steps(*steps: Threshold) -> ThresholdsConfig:
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(list(steps))
