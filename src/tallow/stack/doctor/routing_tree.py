"""Alertmanager's routing algorithm over a configuration file: which receivers an alert reaches.

Source: Alertmanager's documentation, "Configuration", ``route`` and ``matchers``. A test compares it with
``amtool config routes test``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_MATCHER: Final = re.compile(
    r"""\s*"?(?P<name>[\w.]+)"?\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>.*?)\s*""", re.DOTALL
)


def receivers_of(config: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    """The receivers of an alert, without repetitions.

    Args:
        config: the content of ``alertmanager.yml``.
        labels: of the alert.

    Example:
        >>> receivers_of({"route": {"receiver": "default", "routes": []}}, {"alertname": "ServiceDown"})
        ['default']

    Raises:
        ValueError: a route is not what Alertmanager accepts.
    """
    route = config.get("route")
    if not isinstance(route, Mapping):
        raise ValueError("the configuration has no route")  # noqa: TRY004 - bad data, not a bad call
    return list(dict.fromkeys(_walk(route, labels, "")))


def _walk(route: Mapping[str, Any], labels: Mapping[str, str], inherited: str) -> Iterator[str]:
    """The receivers below a route that matches, or its own."""
    receiver = str(route.get("receiver") or inherited)
    reached = False
    for child in route.get("routes") or ():
        if _matches(child, labels):
            reached = True
            yield from _walk(child, labels, receiver)
            if not child.get("continue"):
                break
    if not reached:
        yield receiver


def _matches(route: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    equal = (route.get("match") or {}).items()
    patterns = (route.get("match_re") or {}).items()
    return (
        all(_holds(str(matcher), labels) for matcher in route.get("matchers") or ())
        and all(labels.get(name, "") == value for name, value in equal)
        and all(re.fullmatch(value, labels.get(name, "")) for name, value in patterns)
    )


def _holds(matcher: str, labels: Mapping[str, str]) -> bool:
    found = _MATCHER.fullmatch(matcher)
    if found is None:
        raise ValueError(f"'{matcher}' is not a matcher")
    value, actual = found["value"].strip('"'), labels.get(found["name"], "")
    same = re.fullmatch(value, actual) is not None if "~" in found["operator"] else actual == value
    return same is not found["operator"].startswith("!")
