"""Signaling messages: parsed strictly, refused in one clear line."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tallow.app.wire import (
    JOIN_TOKEN_BYTES,
    MAX_SIGNALING_BYTES,
    MAX_SIGNALING_DEPTH,
    PROTOCOL_VERSION,
    CloseReason,
    ConfirmationState,
    Device,
    ErrorMessage,
    ForwardedType,
    Role,
    TransferMethod,
    TransferOutcome,
    decode_base64url,
)


class WebSocketRefusedError(Exception):
    """A message that cannot be taken: an error code of the protocol and one line for people."""

    def __init__(self, code: CloseReason, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def as_message(self) -> ErrorMessage:
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
    role: Role
    device: Device
    rejoin_key: Annotated[str, Field(max_length=64)] | None = None

    @property
    def token_bytes(self) -> bytes:
        """The join token; empty if it is not 32 bytes of base64url, which opens no room."""
        try:
            token = decode_base64url(self.token)
        except ValueError:
            return b""
        return token if len(token) == JOIN_TOKEN_BYTES else b""


class Forward(_Strict):
    """Goes to the other side as it is."""

    type: ForwardedType
    data: dict[str, Any]


class Started(_Strict):
    """Data flows from now on."""

    type: Literal["started"]
    method: TransferMethod


class Confirmation(_Strict):
    """The person at the receiver is asked whether to take the files (pending), or has agreed (given)."""

    type: Literal["confirmation"]
    state: ConfirmationState


class Leave(_Strict):
    """A clean goodbye."""

    type: Literal["leave"]
    outcome: TransferOutcome | None = None


class RelayJoin(_Strict):
    """Opens the relay for a seat."""

    type: Literal["relay"]
    ticket: Annotated[str, Field(max_length=64)]


SignalingMessage = Join | Forward | Started | Confirmation | Leave
_messages: TypeAdapter[SignalingMessage] = TypeAdapter(
    Annotated[SignalingMessage, Field(discriminator="type")]
)
_relay: TypeAdapter[RelayJoin] = TypeAdapter(RelayJoin)
_ACCEPTED: Final = "join, offer, answer, candidate, started, confirmation or leave as JSON"


def parse_signaling(text: str | None) -> SignalingMessage:
    """A signaling message from its text.

    Raises:
        RefusedError: too_large, bad_version or bad_message.
    """
    message: SignalingMessage = _parsed(text, _messages, _ACCEPTED)
    return message


def parse_relay(text: str | None) -> RelayJoin:
    """The relay's first message.

    Raises:
        RefusedError: too_large or bad_message.
    """
    message: RelayJoin = _parsed(text, _relay, '{"type": "relay", "ticket": ...}')
    return message


def too_deep(value: object, limit: int = MAX_SIGNALING_DEPTH) -> bool:
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
        raise WebSocketRefusedError("bad_message", f"binary is not accepted here; send {accepted}")
    if len(text) > MAX_SIGNALING_BYTES or len(text.encode()) > MAX_SIGNALING_BYTES:
        raise WebSocketRefusedError(
            "too_large", f"a signaling message has at most {MAX_SIGNALING_BYTES} bytes"
        )
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise WebSocketRefusedError("bad_message", f"not JSON; send {accepted}") from None
    if isinstance(value, dict) and value.get("type") == "join" and value.get("version") != PROTOCOL_VERSION:
        raise WebSocketRefusedError(
            "bad_version", f"this server speaks version {PROTOCOL_VERSION} of the protocol"
        )
    if too_deep(value):
        raise WebSocketRefusedError("bad_message", f"nested deeper than {MAX_SIGNALING_DEPTH} levels")
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"] if str(part) in _KNOWN)
        raise WebSocketRefusedError(
            "bad_message", f"{where or 'the message'} is not valid; send {accepted}"
        ) from None


_KNOWN: Final = frozenset(
    field
    for model in (Join, Forward, Started, Confirmation, Leave, RelayJoin)
    for field in model.model_fields
)
