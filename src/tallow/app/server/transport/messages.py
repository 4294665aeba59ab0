"""Signaling messages: parsed strictly, refused in one clear line."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 8
VERSION: Final = 1

# Close codes of both sockets, 4000-4999 being an application's own (RFC 6455, section 7.4.2).
CLOSE_CODES: Final = {
    "bad_message": 4000,
    "bad_version": 4001,
    "unknown_room": 4002,
    "seat_taken": 4003,
    "too_large": 4004,
    "rate_limited": 4005,
    "expired": 4006,
    "internal": 4007,
    "taken_over": 4008,
    "timeout": 4009,
    "peer_gone": 4100,
}

Outcome = Literal["success", "failed", "cancelled"]
Forwarded = Literal["offer", "answer", "candidate"]


class RefusedError(Exception):
    """A message that cannot be taken: an error code of the protocol and one line for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def as_message(self) -> dict[str, str]:
        """The error as a signaling message."""
        return {"type": "error", "code": self.code, "message": self.message}


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Join(_Strict):
    """Take a seat."""

    type: Literal["join"]
    version: int
    room: Annotated[str, Field(max_length=64)]
    token: Annotated[str, Field(max_length=64)]
    role: Literal["sender", "receiver"]
    device: Literal["cli", "desktop", "mobile", "other"]
    seat: Annotated[str, Field(max_length=64)] | None = None

    @property
    def token_bytes(self) -> bytes:
        """The join token; empty if it is not 32 bytes of base64url, which opens no room."""
        try:
            token = base64.b64decode(self.token + "=", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return b""
        return token if len(token) == 32 else b""


class Forward(_Strict):
    """Goes to the other side as it is."""

    type: Forwarded
    data: dict[str, Any]


class Started(_Strict):
    """Data flows from now on."""

    type: Literal["started"]
    method: Literal["relay", "p2p"]


class Confirmation(_Strict):
    """The person at the receiver is asked whether to take the files (pending), or has agreed (given)."""

    type: Literal["confirmation"]
    state: Literal["pending", "given"]


class Leave(_Strict):
    """A clean goodbye."""

    type: Literal["leave"]
    outcome: Outcome | None = None


class Relay(_Strict):
    """Opens the relay for a seat."""

    type: Literal["relay"]
    ticket: Annotated[str, Field(max_length=64)]


Message = Join | Forward | Started | Confirmation | Leave
_messages: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])
_relay: TypeAdapter[Relay] = TypeAdapter(Relay)
_ACCEPTED: Final = "join, offer, answer, candidate, started, confirmation or leave as JSON"


def parse(text: str | None) -> Message:
    """A signaling message from its text.

    Raises:
        RefusedError: too_large, bad_version or bad_message.
    """
    message: Message = _parsed(text, _messages, _ACCEPTED)
    return message


def parse_relay(text: str | None) -> Relay:
    """The relay's first message.

    Raises:
        RefusedError: too_large or bad_message.
    """
    message: Relay = _parsed(text, _relay, '{"type": "relay", "ticket": ...}')
    return message


def too_deep(value: object, limit: int = MAX_DEPTH) -> bool:
    """Whether JSON data is nested deeper than ``limit`` levels."""
    level: list[object] = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return any(isinstance(inner, dict | list) for inner in level)


def _parsed(text: str | None, adapter: TypeAdapter[Any], accepted: str) -> Any:
    if text is None:
        raise RefusedError("bad_message", f"binary is not accepted here; send {accepted}")
    if len(text) > MAX_BYTES or len(text.encode()) > MAX_BYTES:
        raise RefusedError("too_large", f"a signaling message has at most {MAX_BYTES} bytes")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RefusedError("bad_message", f"not JSON; send {accepted}") from None
    if isinstance(value, dict) and value.get("type") == "join" and value.get("version") != VERSION:
        raise RefusedError("bad_version", f"this server speaks version {VERSION} of the protocol")
    if too_deep(value):
        raise RefusedError("bad_message", f"nested deeper than {MAX_DEPTH} levels")
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"] if str(part) in _KNOWN)
        raise RefusedError("bad_message", f"{where or 'the message'} is not valid; send {accepted}") from None


_KNOWN: Final = frozenset(
    field for model in (Join, Forward, Started, Confirmation, Leave, Relay) for field in model.model_fields
)
