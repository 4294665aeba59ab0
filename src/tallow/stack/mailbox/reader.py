"""Read the messages that the mailbox stored."""

from __future__ import annotations

import email.policy
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

_FOLDERS = ("new", "cur")


@dataclass(frozen=True, slots=True)
class Mail:
    """A stored message; ``number`` counts from 1, oldest first."""

    number: int
    key: str
    received_at: datetime
    sender: str
    recipients: str
    subject: str
    text: str


def read_messages(folder: Path) -> list[Mail]:
    """All messages of a Maildir, oldest first. Messages that are deleted during the read are skipped."""
    paths = [path for name in _FOLDERS if (folder / name).is_dir() for path in (folder / name).iterdir()]
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime_ns, path.name, path.read_bytes()))
    return [
        parse_message(number, key, datetime.fromtimestamp(mtime_ns / 1e9, UTC), content)
        for number, (mtime_ns, key, content) in enumerate(sorted(found), start=1)
    ]


def parse_message(number: int, key: str, received_at: datetime, content: bytes) -> Mail:
    """A message from its content as it was received; what cannot be parsed is empty or undecoded."""
    message = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(content)
    return Mail(
        number,
        key,
        received_at,
        _header(message, "from"),
        _header(message, "x-tallow-recipients") or _header(message, "to"),
        _header(message, "subject") or "(no subject)",
        _text(message, content),
    )


def _header(message: EmailMessage, name: str) -> str:
    """The value of a header; empty if it is missing or cannot be parsed."""
    try:
        return str(message[name] or "")
    except (ValueError, LookupError, TypeError, AttributeError):  # raised by the standard library's parser
        return ""


def _text(message: EmailMessage, content: bytes) -> str:
    """The text of the message; the whole message, undecoded, if its encoding is unknown."""
    try:
        body = message.get_body(("plain", "html"))
        return str(body.get_content()) if body else ""
    except (ValueError, LookupError, TypeError, AttributeError):
        return content.decode("utf-8", "replace")
