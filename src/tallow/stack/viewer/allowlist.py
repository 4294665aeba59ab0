"""The requests that the proxy forwards: read-only endpoints and their parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_VALUE: Final = 16 * 1024
MAX_PARAMETERS: Final = 64
_RANGE: Final = frozenset({"start", "end"})


class RequestRefusedError(Exception):
    """A request that the viewer refuses, with the HTTP status of the response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path of a read-only API endpoint and its parameters."""

    path: str
    parameters: frozenset[str]
    form: bool = False
    """Whether a form may be posted, for queries that are too long for a URL."""


PROMETHEUS: Final = (
    Endpoint("query", frozenset({"query", "time"}), form=True),
    Endpoint("query_range", frozenset({"query", "step"}) | _RANGE, form=True),
    Endpoint("series", frozenset({"match[]"}) | _RANGE, form=True),
    Endpoint("labels", frozenset({"match[]"}) | _RANGE, form=True),
    Endpoint("label/{name}/values", frozenset({"match[]"}) | _RANGE),
    Endpoint("alerts", frozenset()),
    Endpoint("rules", frozenset({"type"})),
)
"""Below ``/api/v1/``. The proxy does not forward ``timeout``, ``limit`` and ``stats``."""

ALERTMANAGER: Final = (
    Endpoint("alerts", frozenset({"active", "silenced", "inhibited", "unprocessed", "filter"})),
    Endpoint("silences", frozenset({"filter"})),
)
"""Below ``/api/v2/``."""

_LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def validate_label(name: str) -> str:
    """Return a label name, which becomes part of a path.

    Raises:
        RequestRefusedError: it is not a label name as Prometheus defines it.
    """
    if not _LABEL.fullmatch(name):
        raise RequestRefusedError(400, "a label name has letters, digits and underscores")
    return name


def validate_parameters(endpoint: Endpoint, given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters to forward.

    Raises:
        RequestRefusedError: a parameter is unknown or too long, or there are too many.
    """
    pairs = list(given)
    if len(pairs) > MAX_PARAMETERS:
        raise RequestRefusedError(400, f"at most {MAX_PARAMETERS} parameters are taken")
    for name, value in pairs:
        if name not in endpoint.parameters:
            known = ", ".join(sorted(endpoint.parameters)) or "none"
            raise RequestRefusedError(400, f"an unknown parameter; {endpoint.path} takes {known}")
        if len(value) > MAX_VALUE:
            raise RequestRefusedError(413, f"{name} has more than {MAX_VALUE} characters")
    return pairs
