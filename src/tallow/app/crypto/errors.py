"""What can be wrong with what the other side, or somebody between, has sent: each with its own message."""

from __future__ import annotations

from typing import ClassVar, Literal

ErrorType = Literal["auth", "crypto", "transfer", "validation", "network", "storage", "signaling", "internal"]
ErrorSeverity = Literal["low", "medium", "high"]


class ProtocolError(Exception):
    """A message that the protocol does not allow; the text is one line for people.

    Attributes:
        kind: the type under which it counts in ``errors_total``.
        severity: how bad that is.
        code: what the other side is told (docs/protocol.md, "Aborts").
    """

    kind: ClassVar[ErrorType] = "crypto"
    severity: ClassVar[ErrorSeverity] = "high"
    code: ClassVar[int] = 2
    text: ClassVar[str] = "the other side sent something that is not of the protocol"

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text or self.text)


class MalformedError(ProtocolError):
    """Wrong length, type or content."""

    kind = "validation"
    code = 3


class VersionError(ProtocolError):
    """Another version of the protocol."""

    kind = "validation"
    severity = "medium"
    code = 4
    text = "the other side speaks another version of the protocol; update the older of the two"


class WrongSecretError(ProtocolError):
    """The two sides do not hold the same link."""

    kind = "auth"
    code = 5
    text = "the secret of the link is wrong: copy the whole link again"


class KeyExchangeError(ProtocolError):
    """Key confirmation failed: the two sides have not seen the same messages."""

    code = 6
    text = "the key exchange failed: somebody between the two sides has changed a message; nothing was sent"


class TamperedError(ProtocolError):
    """A frame that is not what the other side encrypted."""

    code = 7
    text = "a piece was changed on the way: its authentication tag is wrong"


class ReplayedError(ProtocolError):
    """A frame came twice."""

    code = 8
    text = "a piece came a second time"


class ReorderedError(ProtocolError):
    """A frame came too early, or one before it is missing."""

    code = 9
    text = "pieces came in another order, or one is missing"


class SplicedError(ProtocolError):
    """A frame of another file."""

    code = 10
    text = "a piece belongs to another file"


class TruncatedError(ProtocolError):
    """The end came before all was there."""

    code = 11
    text = "the transfer ended before all of it was there"


class HashMismatchError(ProtocolError):
    """A file is not what the manifest said."""

    kind = "transfer"
    code = 12
    text = "a received file is not the one that was announced: its SHA-256 differs"


class SourceChangedError(ProtocolError):
    """A file at the sender is no longer what the manifest says."""

    kind = "transfer"
    severity = "medium"
    code = 13
    text = "a file has changed since the transfer began; send it anew with a new link"


class StorageFailedError(ProtocolError):
    """A disk did not take, or give, what was asked of it."""

    kind = "storage"
    code = 14
    text = "the other side cannot store the files"


class KeyExhaustedError(ProtocolError):
    """As many frames as one key may encrypt."""

    code = 15
    text = "more was sent than one key is good for; resume with a new connection"


class CancelledByPeerError(ProtocolError):
    """The other side cancelled: no error, and counted as none."""

    severity = "low"
    kind = "transfer"
    code = 1
    text = "the other side cancelled the transfer"


class DeclinedError(CancelledByPeerError):
    """The person at the receiver does not want the files."""

    code = 16
    text = "the receiver declined the files"


class UnconfirmedError(CancelledByPeerError):
    """Nobody at the receiver has said whether to take the files."""

    code = 17
    text = "nobody at the receiver confirmed the files in time"


def _all(base: type[ProtocolError]) -> list[type[ProtocolError]]:
    return [base, *(found for each in base.__subclasses__() for found in _all(each))]


_BY_CODE = {error.code: error for error in _all(ProtocolError)}


def from_code(code: int) -> ProtocolError:
    """What the other side's abort means here."""
    error = _BY_CODE.get(code, ProtocolError)
    if issubclass(error, CancelledByPeerError | StorageFailedError | SourceChangedError):
        return error()
    return error(f"the other side gave up: {error.text}")
