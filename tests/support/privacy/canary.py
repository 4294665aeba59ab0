"""One secret, and a scrubber that replaces it. Tests use them to check that a code path scrubs at all."""

from __future__ import annotations

from typing import Any

CANARY = "canary7f3a"
"""Stands for any private value. The scrubber's own tests cover what real secrets look like."""


def scrub_canary(value: Any) -> Any:
    """Replace the canary everywhere in a value.

    The real scrubber detects secrets by form or by key, so it could mask a field that never reached it.
    """
    if isinstance(value, str):
        return value.replace(CANARY, "[secret]")
    if isinstance(value, dict):
        return {scrub_canary(name): scrub_canary(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_canary(part) for part in value]
    return value
