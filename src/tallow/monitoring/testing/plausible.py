"""A fake Plausible: it validates events like the original and drops events as silently.

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
    """Accepts events.

    Attributes:
        events: pairs of headers and event, in order.
        drops_events: if True, respond 202 with ``x-plausible-dropped: 1``, as for an unknown site.

    Example::

        >>> FakePlausible().names
        []
    """

    success_status: ClassVar[int] = 202

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[Mapping[str, str], dict[str, Any]]] = []
        self.drops_events = False

    @property
    def names(self) -> list[str]:
        """The names of the events."""
        with self.changed:
            return [event["name"] for _, event in self.events]

    def accept(self, request: ReceivedRequest) -> Mapping[str, str]:
        """Store an event, or drop it silently."""
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
    """Run a fake Plausible for the block. Set ``PLAUSIBLE_HOST`` to its ``url``.

    Args:
        port: on 127.0.0.1; 0 chooses a free one.

    Example::

        >>> with plausible_endpoint() as plausible:
        ...     plausible.url.startswith("http://127.0.0.1:")
        True
    """
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
