"""Errors that end or interrupt a transfer, and their classification."""

from __future__ import annotations

from typing import Final

from tallow.app.channels.channel import ChannelError
from tallow.app.crypto.errors import (
    DeclinedError,
    HashMismatchError,
    ProtocolError,
    SourceChangedError,
    StorageFailedError,
    UnconfirmedError,
)
from tallow.app.files.errors import FileError, FileHashMismatchError
from tallow.app.files.source_file import FileChangedError
from tallow.app.metadata.strip import MetadataError
from tallow.app.peer.link import LinkError


class PeerError(Exception):
    """A transfer cannot start or continue. The text is one line for the user.

    Args:
        kind: label ``type`` of ``errors_total``.
        severity: label ``severity`` of ``errors_total``.
    """

    def __init__(self, text: str, kind: str = "network", severity: str = "medium") -> None:
        super().__init__(text)
        self.kind = kind
        self.severity = severity


class ServerReportError(PeerError):
    """The server reports that the other side has left with an outcome. Nobody else confirms it."""

    def __init__(self, text: str) -> None:
        super().__init__(f"the server reports that {text}", "transfer")


class ServerConnectionError(PeerError):
    """The server cannot be reached now. A retry may succeed."""


class StackNotRunningError(PeerError):
    """The stack whose server was to be used is not running."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "validation", "low")


class NotConfirmedError(PeerError):
    """The person at this receiver declined the files or did not answer in time: the transfer is cancelled.

    Args:
        reason: the error whose abort code the sender receives.
    """

    def __init__(self, text: str, reason: type[DeclinedError | UnconfirmedError]) -> None:
        super().__init__(text, reason.kind, reason.severity)
        self.code = reason.code


class ServerRefusedError(PeerError):
    """The server refused. The text is chosen here by its code: text of a server is not printed on a
    terminal."""

    def __init__(self, code: str) -> None:
        text, kind = REFUSALS.get(code, ("the server refused the connection", "signaling"))
        super().__init__(text, kind)
        self.code = code


REFUSALS: Final = {
    "unknown_room": (
        "no such room: the link is wrong (copy the whole link again) or has expired",
        "auth",
    ),
    "role_taken": ("another program uses this side of the transfer already", "auth"),
    "expired": ("this link has expired: it is valid for one transfer and for a limited time", "signaling"),
    "bad_version": ("the server uses another version of the protocol; update the older one", "signaling"),
    "rate_limited": ("the server received too many requests from here; try again in a minute", "signaling"),
    "taken_over": ("another program took over this side of the transfer", "auth"),
    "internal": ("the server failed", "signaling"),
    "timeout": ("the server closed the connection after a time limit", "signaling"),
}

RETRYABLE: Final = frozenset({"internal", "timeout", "rate_limited"})
"""Refusals that a retry may resolve."""


def is_authenticated(error: BaseException) -> bool:
    """Whether an error is this side's own or the other side's, and not one that the server, or somebody on
    the way, can cause at will: by a refusal, by a report, by changing frames, or by withholding messages.

    What is kept to resume a transfer is removed only after such an error.
    """
    if isinstance(error, ProtocolError):
        return error.authenticated and not error.resumable
    return not isinstance(error, PeerError) or isinstance(error, NotConfirmedError)


def is_transient(error: BaseException) -> bool:
    """Whether a retry may succeed."""
    if isinstance(error, ServerRefusedError):
        return error.code in RETRYABLE
    return isinstance(error, ServerConnectionError | ChannelError | TimeoutError)


def is_final_refusal(error: BaseException) -> bool:
    """Whether the server refuses for good. What is kept to resume stays until it expires, as the server may
    lie; the person is not told to try again."""
    return isinstance(error, ServerRefusedError) and error.code not in RETRYABLE


_CLASSES: Final[tuple[tuple[type[BaseException], str, str], ...]] = (
    (FileChangedError, SourceChangedError.kind, SourceChangedError.severity),
    (FileHashMismatchError, HashMismatchError.kind, HashMismatchError.severity),
    (MetadataError, "validation", "low"),
    (FileError, "storage", "high"),
    (LinkError, "validation", "low"),
    (ChannelError, "network", "medium"),
    (OSError, "network", "medium"),  # TimeoutError is one
)


def error_labels(error: BaseException) -> tuple[str, str]:
    """The labels ``type`` and ``severity`` of an error."""
    if isinstance(error, ProtocolError | PeerError):
        return error.kind, error.severity
    found = ((kind, severity) for known, kind, severity in _CLASSES if isinstance(error, known))
    return next(found, ("internal", "high"))


def abort_code(error: BaseException) -> int:
    """The abort code for the other side; see docs/protocol.md, "Aborts"."""
    if isinstance(error, ProtocolError | NotConfirmedError):
        return error.code
    if isinstance(error, FileChangedError):
        return SourceChangedError.code
    if isinstance(error, FileHashMismatchError):
        return HashMismatchError.code
    return StorageFailedError.code if isinstance(error, FileError) else ProtocolError.code


def one_line(error: BaseException) -> str:
    """The text that is shown to the user."""
    if isinstance(error, ProtocolError | PeerError | FileError | ChannelError | LinkError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "the other side did not answer in time"
    if isinstance(error, OSError):
        return error.strerror or "system error"
    return f"internal error: {type(error).__name__}"
