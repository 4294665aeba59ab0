"""A secret that every scrubber of a test knows."""

from __future__ import annotations

from typing import Any

CANARY = "canary7f3a"
"""Stands for anything private. What real secrets look like is the concern of the scrubber's own tests; where
this one is used, the question is whether everything that leaves has been through the scrubber."""


def scrub_canary(value: Any) -> Any:
    """A scrubber that knows one secret. The real one would find it by its form in some places and by its key
    in others, and hide that a place was never shown to it."""
    if isinstance(value, str):
        return value.replace(CANARY, "[secret]")
    if isinstance(value, dict):
        return {scrub_canary(name): scrub_canary(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_canary(part) for part in value]
    return value
