"""A Plausible as strict as the original about what it takes, and as quiet about what it drops.

Source: Plausible's Events API.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from tallow.monitoring.testing.fake_backend import FakeBackend, ReceivedRequest, RejectedRequestError, running

_FIELDS: Final = {"domain", "name", "url", "referrer", "props", "revenue", "interactive"}


class FakePlausible(FakeBackend):
    """Takes events.

    Attributes:
        events: (headers, event) as they came.
        drops: answer 202 and ``x-plausible-dropped: 1`` from now on, as for a site it does not know.
    """

    success_status: ClassVar[int] = 202

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[Mapping[str, str], dict[str, Any]]] = []
        self.drops_events = False

    @property
    def names(self) -> list[str]:
        """The events' names."""
        with self.changed:
            return [event["name"] for _, event in self.events]

    def accept(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Keep an event, or drop it quietly."""
        event = json.loads(request.body)
        wrong = [name for name, is_wrong in _problems(request, event) if is_wrong]
        if wrong:
            raise RejectedRequestError(", ".join(wrong))
        if self.drops_events:
            return {"x-plausible-dropped": "1"}
        self.events.append((request.headers, event))
        return {}


@contextmanager
def plausible_endpoint(port: int = 0) -> Iterator[FakePlausible]:
    """A running one: point ``PLAUSIBLE_HOST`` at its ``url``."""
    with running(FakePlausible(), port) as plausible:
        yield plausible


def _problems(request: ReceivedRequest, event: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    headers, props = request.headers, event.get("props", {})
    yield "path", request.path != "/api/event"
    yield "user agent", not headers.get("user-agent", "").strip()
    yield "content type", headers.get("content-type") not in {"application/json", "text/plain"}
    yield "fields", not {"domain", "name", "url"} <= set(event) <= _FIELDS
    yield "strings", not all(isinstance(event.get(name), str) and event[name] for name in ("domain", "name"))
    yield "url", not str(event.get("url")).startswith("https://") or len(event["url"]) > 2000
    yield "name", len(str(event.get("name"))) > 120
    yield "props", len(props) > 30 or not all(isinstance(value, str) for value in props.values())
    yield "cookies", "cookie" in headers
