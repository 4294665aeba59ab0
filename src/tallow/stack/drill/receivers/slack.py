"""Slack's incoming webhook, as strict as Slack's own.

Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tallow.stack.drill.receivers.message import Inbox, ReceivedMessage

MAX_ATTACHMENTS: Final = 100
_READABLE: Final = ("pretext", "title", "text", "fallback")
_MENTION: Final = re.compile(r"<([!@#][^>]*)>")
_SHOWN: Final = (*_READABLE, "fields", "image_url", "blocks")


class SlackRejectionError(Exception):
    """An answer other than ``ok``: its status and Slack's word for it."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(f"{status} {word}")
        self.status, self.word = status, word


def webhook_route(tray: Inbox, path: str) -> Route:
    """The webhook ``path`` (``/services/T…/B…/…``); another one is answered as Slack does."""

    async def post(request: Request) -> Response:
        try:
            if not hmac.compare_digest(request.url.path, path):
                raise SlackRejectionError(404, "no_service")
            payload = parse_payload(request.headers.get("content-type", ""), await request.body())
            tray.accept(to_message(payload))
        except SlackRejectionError as refusal:
            tray.reject("slack", str(refusal))
            return PlainTextResponse(refusal.word, refusal.status)
        return PlainTextResponse("ok")

    return Route("/services/{rest:path}", post, methods=["POST"])


def parse_payload(content_type: str, body: bytes) -> Mapping[str, Any]:
    """The payload, as JSON or as a form's field ``payload``.

    Raises:
        SlackRefusesError: it is not one.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            body = parse_qs(body.decode("utf-8"), strict_parsing=True)["payload"][0].encode()
        elif kind != "application/json":
            raise SlackRejectionError(400, "invalid_payload")
        payload = json.loads(body)
    except (ValueError, KeyError):
        raise SlackRejectionError(400, "invalid_payload") from None
    if not isinstance(payload, dict):
        raise SlackRejectionError(400, "invalid_payload")
    return payload


def displayed(text: str) -> str:
    """A text as Slack shows it: with its three entities decoded, and its mentions marked.

    Source: https://docs.slack.dev/messaging/formatting-message-text
    """
    marked = _MENTION.sub(r"[MENTION \1]", text)
    return marked.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def to_message(payload: Mapping[str, Any]) -> ReceivedMessage:
    """What people would see.

    Raises:
        SlackRefusesError: nothing, or not what Slack can show.
    """
    text, attachments = payload.get("text", ""), payload.get("attachments") or []
    if not isinstance(text, str) or not isinstance(attachments, list):
        raise SlackRejectionError(400, "invalid_payload")
    if len(attachments) > MAX_ATTACHMENTS:
        raise SlackRejectionError(400, "too_many_attachments")
    for attachment in attachments:
        if not isinstance(attachment, dict) or not all(
            isinstance(attachment.get(name, ""), str) for name in _READABLE
        ):
            raise SlackRejectionError(400, "invalid_payload")
    shown = [one for one in attachments if any(one.get(name) for name in _SHOWN)]
    if not (text or shown or payload.get("blocks")):
        raise SlackRejectionError(400, "no_text")
    subject = displayed(text or next((one["title"] for one in shown if one.get("title")), ""))
    parts = map(displayed, [text, *(one.get(name, "") for one in shown for name in _READABLE)])
    return ReceivedMessage("slack", "slack", not subject.startswith("[RESOLVED]"), subject, "\n".join(parts))
