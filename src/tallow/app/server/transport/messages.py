"""Strict parsing of the messages that peers send on WebSockets."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tallow.app.bounded_json import BadJsonError
from tallow.app.server.transport.json_input import parse_json
from tallow.app.wire import (
    JOIN_TOKEN_BYTES,
    MAX_SIGNALING_BYTES,
    MAX_SIGNALING_DEPTH,
    MAX_SIGNALING_VALUES,
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
    """The server refuses a message and closes the socket.

    Args:
        code: the error code and the reason of the close code.
        message: one line for people.
    """

    def __init__(self, code: CloseReason, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def as_message(self) -> ErrorMessage:
        """The error as the peer gets it."""
        return {"type": "error", "code": self.code, "message": self.message}


class _StrictModel(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Join(_StrictModel):
    """See :class:`tallow.app.wire.JoinMessage`."""

    type: Literal["join"]
    version: int
    room: Annotated[str, Field(max_length=64)]
    token: Annotated[str, Field(max_length=64)]
    role: Role
    device: Device
    rejoin_key: Annotated[str, Field(max_length=64)] | None = None
    do_not_track: bool = False

    @property
    def token_bytes(self) -> bytes:
        """The join token; empty, which opens no room, if it is not 32 bytes of base64url."""
        try:
            token = decode_base64url(self.token)
        except ValueError:
            return b""
        return token if len(token) == JOIN_TOKEN_BYTES else b""


class Forward(_StrictModel):
    """See :class:`tallow.app.wire.ForwardedMessage`."""

    type: ForwardedType
    data: dict[str, Any]


class Started(_StrictModel):
    """See :class:`tallow.app.wire.StartedMessage`."""

    type: Literal["started"]
    method: TransferMethod


class Confirmation(_StrictModel):
    """See :class:`tallow.app.wire.ConfirmationMessage`."""

    type: Literal["confirmation"]
    state: ConfirmationState


class Leave(_StrictModel):
    """See :class:`tallow.app.wire.LeaveMessage`."""

    type: Literal["leave"]
    outcome: TransferOutcome | None = None
    resumable: bool = False


class RelayJoin(_StrictModel):
    """See :class:`tallow.app.wire.RelayMessage`."""

    type: Literal["relay"]
    ticket: Annotated[str, Field(max_length=64)]


SignalingMessage = Join | Forward | Started | Confirmation | Leave
_signaling: TypeAdapter[SignalingMessage] = TypeAdapter(
    Annotated[SignalingMessage, Field(discriminator="type")]
)
_relay: TypeAdapter[RelayJoin] = TypeAdapter(RelayJoin)
_SIGNALING_ACCEPTED: Final = "join, offer, answer, candidate, started, confirmation or leave as JSON"
_RELAY_ACCEPTED: Final = '{"type": "relay", "ticket": ...}'
_FIELD_NAMES: Final = frozenset(
    name for model in (Join, Forward, Started, Confirmation, Leave, RelayJoin) for name in model.model_fields
)


def parse_signaling(text: str | None) -> SignalingMessage:
    """A signaling message.

    Args:
        text: None for a binary message.

    Raises:
        WebSocketRefusedError: too_large, bad_version or bad_message.
    """
    message: SignalingMessage = _parse(text, _signaling, _SIGNALING_ACCEPTED)
    return message


def parse_relay(text: str | None) -> RelayJoin:
    """The first message on a relay socket.

    Args:
        text: None for a binary message.

    Raises:
        WebSocketRefusedError: too_large or bad_message.
    """
    message: RelayJoin = _parse(text, _relay, _RELAY_ACCEPTED)
    return message


def _parse(text: str | None, adapter: TypeAdapter[Any], accepted: str) -> Any:
    if text is None:
        raise WebSocketRefusedError("bad_message", f"binary is not accepted here; send {accepted}")
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_SIGNALING_BYTES:
        raise WebSocketRefusedError(
            "too_large", f"a signaling message has at most {MAX_SIGNALING_BYTES} bytes"
        )
    try:
        value = parse_json(data, MAX_SIGNALING_DEPTH, MAX_SIGNALING_VALUES)
    except BadJsonError as error:
        raise WebSocketRefusedError("bad_message", f"{error}; send {accepted}") from None
    _check_version(value)
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        problem = f"{_invalid_field(error)} is not valid; send {accepted}"
        raise WebSocketRefusedError("bad_message", problem) from None


def _check_version(value: object) -> None:
    if isinstance(value, dict) and value.get("type") == "join" and value.get("version") != PROTOCOL_VERSION:
        problem = f"this server speaks version {PROTOCOL_VERSION} of the protocol"
        raise WebSocketRefusedError("bad_version", problem)


def _invalid_field(error: ValidationError) -> str:
    """The field that is not valid. Only names of the protocol: errors must not repeat what a peer sent."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    path = [str(part) for part in details[0]["loc"]]
    return ".".join(part for part in path if part in _FIELD_NAMES) or "the message"
