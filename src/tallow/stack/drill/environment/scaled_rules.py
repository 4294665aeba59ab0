"""The rules of a drill are the shipped ones: compared word by word, with the factor as the only excuse."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_TOKEN: Final = re.compile(r'"[^"]*"|\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:ms|[smhdwy])?|\w+|\s+|.', re.DOTALL)
_DURATION: Final = re.compile(r"(\d+)(ms|s|m|h|d)")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_CLOSE_S: Final = 0.0011
"""Durations are whole milliseconds."""


def unexplained_differences(
    shipped: Mapping[str, Any], drilled: Mapping[str, Any], scale: float
) -> Iterator[str]:
    """What a drill's rule does otherwise than the shipped one, beyond what the factor explains.

    Durations and the start guard (``< seconds``, after a process's start time) must be the shipped ones
    times ``scale``, minimum counts (``>= count``) too, rounded up and never below 1. Nothing else may differ
    in the expression, ``for`` and labels.

    Args:
        shipped, drilled: rules in Prometheus's own shape.
    """
    if shipped["labels"] != drilled["labels"]:
        yield "labels differ"
    if not _scaled(shipped.get("for", "0s"), drilled.get("for", "0s"), scale):
        yield f"for: {shipped.get('for')} became {drilled.get('for')}"
    ours, theirs = _TOKEN.findall(shipped["expr"]), _TOKEN.findall(drilled["expr"])
    if len(ours) != len(theirs):
        yield "the expression has another shape"
        return
    for place, (was, is_) in enumerate(zip(ours, theirs, strict=True)):
        if was == is_ and not _DURATION.fullmatch(was):
            continue
        if not (_scaled(was, is_, scale) or _count(ours[:place], was, is_, scale)):
            yield f"{was} became {is_}"


def scaled_parts(shipped: Mapping[str, Any], drilled: Mapping[str, Any]) -> dict[str, str]:
    """What was scaled, openly: ``{"5m": "20s", ">= 20": ">= 2"}``."""
    ours, theirs = _TOKEN.findall(shipped["expr"]), _TOKEN.findall(drilled["expr"])
    found = {}
    if "for" in shipped:
        found[f"for {shipped['for']}"] = f"for {drilled.get('for', '0s')}"
    for place, (was, is_) in enumerate(zip(ours, theirs, strict=True)):
        if was != is_:
            sign = "" if _DURATION.fullmatch(was) else _before(ours[:place])
            found[f"{sign} {was}".strip()] = f"{sign} {is_}".strip()
    return found


def _scaled(was: str, is_: str, scale: float) -> bool:
    before, after = _seconds(was), _seconds(is_)
    return before is not None and after is not None and abs(before * scale - after) <= _CLOSE_S


def _count(before: list[str], was: str, is_: str, scale: float) -> bool:
    """Whether a number is a minimum count or the start guard, and scaled as such."""
    if not (_NUMBER.fullmatch(was) and _NUMBER.fullmatch(is_)):
        return False
    sign = _before(before)
    if sign == ">=":
        return float(is_) == max(1, math.ceil(float(was) * scale))
    guards = sign == "<" and "process_start_time_seconds" in "".join(before[-40:])
    return guards and math.isclose(float(is_), float(was) * scale, rel_tol=1e-6)


def _before(tokens: list[str]) -> str:
    return re.sub(r"\s", "", "".join(tokens[-4:]))[-2:].lstrip(")}")


def _seconds(text: str) -> float | None:
    found = _DURATION.fullmatch(text)
    return int(found[1]) * _SECONDS[found[2]] if found else None
