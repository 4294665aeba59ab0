"""A test receiver for PagerDuty's Events API v2. It answers 400 where PagerDuty does.

Source: https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tallow.stack.drill.receivers.message import Inbox, ReceivedMessage

PATH: Final = "/v2/enqueue"
MAX_BYTES: Final = 512 * 1024
MAX_SUMMARY: Final = 1024
MAX_KEY: Final = 255
ACTIONS: Final = ("trigger", "acknowledge", "resolve")
SEVERITIES: Final = ("critical", "error", "warning", "info")
_ROUTING_KEY: Final = re.compile(r"[A-Za-z0-9]{32}")
_STRINGS: Final = ("timestamp", "component", "group", "class")


def events_route(inbox: Inbox, key: str) -> Route:
    """The endpoint for events of the integration with this key."""

    async def enqueue(request: Request) -> Response:
        body = await request.body()
        if len(body) > MAX_BYTES:
            inbox.reject("pagerduty", "413 too large")
            return Response(status_code=413)
        event, errors = validate(body, key)
        if errors:
            inbox.reject("pagerduty", f"400 {'; '.join(errors)}")
            return JSONResponse(
                {"status": "invalid event", "message": "Event object is invalid", "errors": errors}, 400
            )
        dedup_key = event.get("dedup_key") or secrets.token_hex(16)
        inbox.accept(to_message(event, dedup_key))
        return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": dedup_key}, 202)

    return Route(PATH, enqueue, methods=["POST"])


def validate(body: bytes, key: str) -> tuple[Mapping[str, Any], list[str]]:
    """Parse and check a request.

    Returns:
        The event and its errors.
    """
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        return {}, ["the body is not a JSON object"]
    return event, list(_errors(event, key))


def to_message(event: Mapping[str, Any], dedup_key: str) -> ReceivedMessage:
    """The message that the person on call would see."""
    payload, links = event.get("payload") or {}, event.get("links") or []
    parts = [
        str(payload.get("summary", "")),
        str(payload.get("source", "")),
        json.dumps(payload.get("custom_details", {}), ensure_ascii=False),
        *(link["href"] for link in links),
        str(event.get("client_url", "")),
    ]
    return ReceivedMessage(
        "pagerduty",
        "pagerduty",
        event["event_action"] == "trigger",
        parts[0],
        "\n".join(parts),
        dedup_key,
    )


def _errors(event: Mapping[str, Any], key: str) -> Iterator[str]:
    yield from _routing_key_errors(event.get("routing_key"), key)
    yield from _action_errors(event.get("event_action"), event.get("dedup_key"))
    if event.get("event_action") == "trigger":
        yield from _payload_errors(event.get("payload"))
    yield from _link_errors(event.get("links"))


def _routing_key_errors(routing_key: object, key: str) -> Iterator[str]:
    if not isinstance(routing_key, str) or not _ROUTING_KEY.fullmatch(routing_key):
        yield "'routing_key' must be 32 letters and digits"
    elif routing_key != key:
        yield "'routing_key' belongs to no integration"


def _action_errors(action: object, dedup_key: object) -> Iterator[str]:
    if action not in ACTIONS:
        yield f"'event_action' must be one of {', '.join(ACTIONS)}"
    if dedup_key is not None and (not isinstance(dedup_key, str) or len(dedup_key) > MAX_KEY):
        yield f"'dedup_key' must be a string of at most {MAX_KEY} characters"
    if action != "trigger" and not dedup_key:
        yield "'dedup_key' is missing"


def _payload_errors(payload: object) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "'payload' is missing"
        return
    summary, source = payload.get("summary"), payload.get("source")
    if not isinstance(summary, str) or not summary.strip():
        yield "'payload.summary' is missing or blank"
    elif len(summary) > MAX_SUMMARY:
        yield f"'payload.summary' is longer than {MAX_SUMMARY} characters"
    if not isinstance(source, str) or not source.strip():
        yield "'payload.source' is missing or blank"
    if payload.get("severity") not in SEVERITIES:
        yield f"'payload.severity' must be one of {', '.join(SEVERITIES)}"
    for name in _STRINGS:
        if not isinstance(payload.get(name, ""), str):
            yield f"'payload.{name}' must be a string"


def _link_errors(links: object) -> Iterator[str]:
    if links is None:
        return
    if not isinstance(links, list) or not all(
        isinstance(link, dict) and isinstance(link.get("href"), str) and link["href"] for link in links
    ):
        yield "'links' must be a list of objects with 'href'"
