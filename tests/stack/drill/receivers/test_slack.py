"""The test receiver of Slack accepts and rejects what Slack does."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from tallow.stack.drill.receivers.message import Inbox
from tallow.stack.drill.receivers.slack import webhook_route

PATH = "/services/T0/B0/secret"


async def post(
    inbox: Inbox, body: bytes | str, content_type: str = "application/json", path: str = PATH
) -> str:
    transport = httpx.ASGITransport(Starlette(routes=[webhook_route(inbox, PATH)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://slack") as client:
        answer = await client.post(path, content=body, headers={"content-type": content_type})
    return f"{answer.status_code} {answer.text}"


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "[CRITICAL] Tallow is down"},
        {"attachments": [{"title": "[CRITICAL] Tallow is down", "text": "It is."}]},
        {"blocks": [{"type": "section"}], "text": "[CRITICAL] Tallow is down"},
    ],
)
async def test_valid_payloads_are_accepted(payload: dict[str, Any]) -> None:
    inbox = Inbox()
    assert await post(inbox, json.dumps(payload)) == "200 ok"
    form = urlencode({"payload": json.dumps(payload)})
    assert await post(inbox, form, "application/x-www-form-urlencoded") == "200 ok"
    assert [message.subject for message in inbox.messages] == ["[CRITICAL] Tallow is down"] * 2
    assert all(message.firing for message in inbox.messages)


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("{", "application/json", "400 invalid_payload"),
        ("[]", "application/json", "400 invalid_payload"),
        ('{"text": "x"}', "text/plain", "400 invalid_payload"),
        ('{"text": 1}', "application/json", "400 invalid_payload"),
        ('{"attachments": {}, "text": "x"}', "application/json", "200 ok"),
        ('{"attachments": {"text": "x"}}', "application/json", "400 invalid_payload"),
        ('{"attachments": [{"text": 1}]}', "application/json", "400 invalid_payload"),
        ("{}", "application/json", "400 no_text"),
        ('{"text": "", "attachments": [{"color": "#fff"}]}', "application/json", "400 no_text"),
        (json.dumps({"attachments": [{"text": "x"}] * 101}), "application/json", "400 too_many_attachments"),
        ("text=x", "application/x-www-form-urlencoded", "400 invalid_payload"),
    ],
)
async def test_invalid_payloads_are_rejected(body: str, content_type: str, expected: str) -> None:
    inbox = Inbox()
    assert await post(inbox, body, content_type) == expected
    assert [refusal.reply for refusal in inbox.rejections] == ([] if expected == "200 ok" else [expected])


async def test_an_unknown_webhook_is_rejected() -> None:
    inbox = Inbox()
    assert await post(inbox, '{"text": "x"}', path="/services/T0/B0/guessed") == "404 no_service"
    assert inbox.messages == []
