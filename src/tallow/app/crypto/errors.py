"""Protocol errors: one class for each fault that a received message can have."""

from __future__ import annotations

from typing import ClassVar, Literal

ErrorType = Literal["auth", "crypto", "transfer", "validation", "network", "storage", "signaling", "internal"]
"""Value of the label ``type`` of ``errors_total``."""
ErrorSeverity = Literal["low", "medium", "high"]


class ProtocolError(Exception):
    """A received message violates the protocol. The text is one line for people.

    Attributes:
        kind: label ``type`` in ``errors_total``.
        severity: label ``severity`` in ``errors_total``.
        code: abort code that the other side receives (docs/protocol.md, "Aborts").
        authenticated: whether this side found it, or the other side reported it under the session's keys.
            Otherwise the server, or somebody on the way, can have caused it: it ends an attempt, and what is
            kept to resume the transfer stays.
        resumable: whether the transfer can go on over another connection, also if it is authenticated:
            somebody on the way can change what a channel carries.
    """

    kind: ClassVar[ErrorType] = "crypto"
    severity: ClassVar[ErrorSeverity] = "high"
    code: ClassVar[int] = 2
    resumable: ClassVar[bool] = False
    text: ClassVar[str] = "the other side sent a message that the protocol does not allow"

    def __init__(self, text: str | None = None, *, authenticated: bool = True) -> None:
        super().__init__(text or self.text)
        self.authenticated = authenticated


class MalformedError(ProtocolError):
    """A message has a wrong length, type or content."""

    kind = "validation"
    code = 3


class VersionError(ProtocolError):
    """The other side uses another protocol version."""

    kind = "validation"
    severity = "medium"
    code = 4
    text = "the other side uses another version of the protocol; update the older of the two"


class WrongSecretError(ProtocolError):
    """The two sides have different links."""

    kind = "auth"
    code = 5
    text = "the secret of the link is wrong: copy the whole link again"


class KeyExchangeError(ProtocolError):
    """Key confirmation failed: the two sides saw different messages."""

    code = 6
    text = "the key exchange failed: a message was changed between the two sides; nothing was sent"


class TamperedError(ProtocolError):
    """The authentication tag of a frame is wrong."""

    code = 7
    resumable = True
    text = "a frame was changed in transit: its authentication tag is wrong"


class ReplayedError(ProtocolError):
    """A frame was received twice."""

    code = 8
    resumable = True
    text = "a frame was received a second time"


class ReorderedError(ProtocolError):
    """A frame is out of order, or an earlier one is missing."""

    code = 9
    resumable = True
    text = "frames are out of order, or one is missing"


class SplicedError(ProtocolError):
    """A frame belongs to another file."""

    code = 10
    resumable = True
    text = "a frame belongs to another file"


class TruncatedError(ProtocolError):
    """The final frame came before all bytes were received."""

    code = 11
    resumable = True
    text = "the transfer ended before all bytes were received"


class HashMismatchError(ProtocolError):
    """A file does not match its SHA-256 in the manifest."""

    kind = "transfer"
    code = 12
    text = "a received file is not the announced one: its SHA-256 differs"


class SourceChangedError(ProtocolError):
    """A file at the sender no longer matches the manifest."""

    kind = "transfer"
    severity = "medium"
    code = 13
    text = "a file has changed since the transfer began; send it anew with a new link"


class StorageFailedError(ProtocolError):
    """A disk could not be read or written."""

    kind = "storage"
    code = 14
    text = "the other side cannot store the files"


class KeyExhaustedError(ProtocolError):
    """The maximum number of frames of one key is reached."""

    code = 15
    resumable = True
    text = "the limit of frames for one key is reached; resume with a new connection"


class CancelledByPeerError(ProtocolError):
    """The other side cancelled the transfer. Counts as cancelled, not as an error."""

    severity = "low"
    kind = "transfer"
    code = 1
    text = "the other side cancelled the transfer"


class StoppedByPeerError(CancelledByPeerError):
    """A signal stopped the program of the other side. Counts as cancelled; a later run can resume it."""

    code = 18
    resumable = True
    text = "the other side stopped the transfer; it can be resumed"


class DeclinedError(CancelledByPeerError):
    """The person at the receiver declined the files."""

    code = 16
    text = "the receiver declined the files"


class UnconfirmedError(CancelledByPeerError):
    """The person at the receiver did not answer in time."""

    code = 17
    text = "the receiver did not confirm the files in time"


def _with_subclasses(base: type[ProtocolError]) -> list[type[ProtocolError]]:
    return [base, *(found for each in base.__subclasses__() for found in _with_subclasses(each))]


_BY_CODE = {error.code: error for error in _with_subclasses(ProtocolError)}


def from_code(code: int, *, authenticated: bool = True) -> ProtocolError:
    """The error for an abort code of the other side; :class:`ProtocolError` for an unknown code.

    Args:
        authenticated: False: not under the session's keys, hence shown as what the server reports.
    """
    error = _BY_CODE.get(code, ProtocolError)
    text = error.text
    if not issubclass(error, CancelledByPeerError | StorageFailedError | SourceChangedError):
        text = f"the other side aborted: {text}"
    if not authenticated:
        text = f"the server, or somebody on the way, reports: {text}"
    return error(text, authenticated=authenticated)
