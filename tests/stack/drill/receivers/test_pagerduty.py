"""The test receiver of PagerDuty answers 400 where PagerDuty does."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tallow.stack.drill.receivers.message import Inbox
from tallow.stack.drill.receivers.pagerduty import PATH, events_route

KEY = "0123456789abcdef0123456789abcdef"


def trigger(**changed: Any) -> dict[str, Any]:
    payload = {"summary": "Tallow is down", "source": "127.0.0.1:3000", "severity": "critical"}
    payload |= changed.pop("payload", {})
    return {"routing_key": KEY, "event_action": "trigger", "payload": payload} | changed


async def post(inbox: Inbox, body: Any) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=[events_route(inbox, KEY)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://pagerduty") as client:
        return await client.post(PATH, content=body if isinstance(body, bytes) else json.dumps(body))


async def test_an_event_is_accepted_and_its_key_returned() -> None:
    inbox = Inbox()
    answer = await post(
        inbox, trigger(dedup_key="one", links=[{"href": "http://runbook", "text": "Runbook"}])
    )
    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Event processed", "dedup_key": "one"}
    [message] = inbox.messages
    assert (message.subject, message.firing, message.dedup_key) == ("Tallow is down", True, "one")
    assert "http://runbook" in message.text


async def test_a_missing_key_is_generated() -> None:
    assert len((await post(Inbox(), trigger())).json()["dedup_key"]) == 32


async def test_a_resolve_event_needs_no_payload() -> None:
    inbox = Inbox()
    event = {"routing_key": KEY, "event_action": "resolve", "dedup_key": "one"}
    assert (await post(inbox, event)).status_code == 202
    assert not inbox.messages[0].firing


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (trigger(routing_key="short"), "routing_key"),
        (trigger(routing_key=None), "routing_key"),
        (trigger(routing_key="f" * 32), "integration"),
        (trigger(event_action="fire"), "event_action"),
        (trigger(event_action="resolve"), "dedup_key"),
        (trigger(dedup_key="k" * 256), "dedup_key"),
        (trigger(payload={"summary": ""}), "payload.summary"),
        (trigger(payload={"summary": "s" * 1025}), "payload.summary"),
        (trigger(payload={"source": "  "}), "payload.source"),
        (trigger(payload={"severity": ""}), "payload.severity"),
        (trigger(payload={"severity": "Critical"}), "payload.severity"),
        (trigger(payload={"class": 1}), "payload.class"),
        (trigger(links=[{"text": "no address"}]), "links"),
        ({"routing_key": KEY, "event_action": "trigger"}, "payload"),
        ([], "JSON object"),
        (b"{", "JSON object"),
    ],
)
async def test_invalid_events_are_rejected(event: Any, named: str) -> None:
    inbox = Inbox()
    answer = await post(inbox, event)
    assert answer.status_code == 400
    assert answer.json()["status"] == "invalid event"
    assert named in answer.json()["errors"][0]
    assert inbox.messages == []
    assert inbox.rejections[0].reply.startswith("400 ")


@pytest.mark.parametrize("changed", [{"payload": {"summary": "s" * 1024}}, {"dedup_key": "k" * 255}])
async def test_the_longest_valid_event_is_accepted(changed: dict[str, Any]) -> None:
    assert (await post(Inbox(), trigger(**changed))).status_code == 202


async def test_a_body_that_is_too_large_is_rejected() -> None:
    assert (await post(Inbox(), b" " * (512 * 1024 + 1))).status_code == 413
