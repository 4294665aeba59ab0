"""A test receiver for Slack's incoming webhooks. It rejects what Slack rejects.

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

from tallow.stack.drill.receivers.message import ENDED, Inbox, ReceivedMessage

MAX_ATTACHMENTS: Final = 100
_TEXT_FIELDS: Final = ("pretext", "title", "text", "fallback")
_MENTION: Final = re.compile(r"<([!@#][^>]*)>")
_VISIBLE_FIELDS: Final = (*_TEXT_FIELDS, "fields", "image_url", "blocks")


class SlackRejectionError(Exception):
    """A rejection, with Slack's status and error code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


def webhook_route(inbox: Inbox, path: str) -> Route:
    """The endpoint of a webhook.

    Args:
        path: ``/services/T…/B…/…``; other paths are answered with ``no_service``.
    """

    async def post(request: Request) -> Response:
        try:
            if not hmac.compare_digest(request.url.path, path):
                raise SlackRejectionError(404, "no_service")
            payload = parse_payload(request.headers.get("content-type", ""), await request.body())
            inbox.accept(to_message(payload))
        except SlackRejectionError as rejection:
            inbox.reject("slack", str(rejection))
            return PlainTextResponse(rejection.code, rejection.status)
        return PlainTextResponse("ok")

    return Route("/services/{rest:path}", post, methods=["POST"])


def parse_payload(content_type: str, body: bytes) -> Mapping[str, Any]:
    """The payload of a request: a JSON body, or the field ``payload`` of a form.

    Raises:
        SlackRejectionError: the request has no valid payload.
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
    """A text as Slack displays it: its three entities decoded, its mentions marked.

    Source: https://docs.slack.dev/messaging/formatting-message-text
    """
    marked = _MENTION.sub(r"[MENTION \1]", text)
    return marked.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def to_message(payload: Mapping[str, Any]) -> ReceivedMessage:
    """The message that people would see.

    Raises:
        SlackRejectionError: the payload is invalid or shows nothing.
    """
    text, attachments = payload.get("text", ""), _visible_attachments(payload)
    if not isinstance(text, str):
        raise SlackRejectionError(400, "invalid_payload")
    if not (text or attachments or payload.get("blocks")):
        raise SlackRejectionError(400, "no_text")
    titles = [each["title"] for each in attachments if each.get("title")]
    subject = displayed(text or next(iter(titles), ""))
    parts = map(displayed, [text, *(each.get(name, "") for each in attachments for name in _TEXT_FIELDS)])
    return ReceivedMessage("slack", "slack", not subject.startswith(ENDED), subject, "\n".join(parts))


def _visible_attachments(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The attachments of a payload that show something.

    Raises:
        SlackRejectionError: they are invalid or too many.
    """
    attachments = payload.get("attachments") or []
    if not isinstance(attachments, list) or not all(map(_is_valid_attachment, attachments)):
        raise SlackRejectionError(400, "invalid_payload")
    if len(attachments) > MAX_ATTACHMENTS:
        raise SlackRejectionError(400, "too_many_attachments")
    return [each for each in attachments if any(each.get(name) for name in _VISIBLE_FIELDS)]


def _is_valid_attachment(attachment: object) -> bool:
    return isinstance(attachment, dict) and all(
        isinstance(attachment.get(name, ""), str) for name in _TEXT_FIELDS
    )
