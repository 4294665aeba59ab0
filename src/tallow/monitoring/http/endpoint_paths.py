"""The paths of an application's operational endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tallow.monitoring.exposition import scrape
from tallow.monitoring.health import responses

METRICS_PATH: Final = scrape.PATHS[0]
HEALTH_PATH: Final = responses.SUMMARY

MAX_LENGTH: Final = 100
"""Characters of a path: it is the value of a label."""

_PATH: Final = re.compile(r"(?:/[\w.~!$&'()+,;=@-]+)+", re.ASCII)


class EndpointPaths:
    """The served paths, and the argument that chose each of them.

    Args:
        metrics_path: of the exposition; None to serve none. The default one has an alias, ``/api/metrics``.
        health_path: of the overall health; the other health endpoints are below it. None to serve none.

    Attributes:
        endpoints: maps each served path to the endpoint's default path.
        arguments: maps each served path to ``metrics_path`` or ``health_path``.

    Raises:
        ValueError: one line: a path is not valid, or both arguments claim one path.

    Example:
        >>> EndpointPaths("/internal/metrics", "/status").endpoints["/status/readiness"]
        '/api/health/readiness'
    """

    def __init__(
        self, metrics_path: str | None = METRICS_PATH, health_path: str | None = HEALTH_PATH
    ) -> None:
        of_metrics = _metrics_endpoints(_checked("metrics_path", metrics_path))
        of_health = _health_endpoints(_checked("health_path", health_path))
        both = sorted(of_metrics.keys() & of_health.keys())
        if both:
            raise ValueError(
                f"metrics_path is {metrics_path!r} and health_path is {health_path!r}; accepted: "
                f"different paths, but both serve {both[0]!r}"
            )
        self.endpoints: Mapping[str, str] = MappingProxyType(of_metrics | of_health)
        self.arguments: Mapping[str, str] = MappingProxyType(
            dict.fromkeys(of_metrics, "metrics_path") | dict.fromkeys(of_health, "health_path")
        )


def _metrics_endpoints(path: str | None) -> dict[str, str]:
    if path is None:
        return {}
    served = scrape.PATHS if path == METRICS_PATH else (path,)
    return dict.fromkeys(served, METRICS_PATH)


def _health_endpoints(path: str | None) -> dict[str, str]:
    if path is None:
        return {}
    return {path + endpoint.removeprefix(HEALTH_PATH): endpoint for endpoint in responses.PATHS}


def _checked(argument: str, path: object) -> str | None:
    if path is None or (isinstance(path, str) and len(path) <= MAX_LENGTH and _PATH.fullmatch(path)):
        return path
    raise ValueError(
        f"{argument} is {path!r}; accepted: a path such as {METRICS_PATH!r}, with a leading slash and "
        f"without a trailing one, a parameter or a query, of at most {MAX_LENGTH} characters; or None"
    )
