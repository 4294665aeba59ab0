"""The mailbox read back: what arrived, newest last."""

from __future__ import annotations

import email.policy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

_FOLDERS = ("new", "cur")


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that was kept; ``number`` counts from 1, oldest first."""

    number: int
    key: str
    at: datetime
    sender: str
    recipients: str
    subject: str
    text: str


def messages(folder: Path) -> list[Mail]:
    """All messages of a Maildir, oldest first."""
    paths = [path for name in _FOLDERS if (folder / name).is_dir() for path in (folder / name).iterdir()]
    return [_read(number, path) for number, path in enumerate(sorted(paths, key=_age), start=1)]


def _age(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


def _read(number: int, path: Path) -> Mail:
    with path.open("rb") as file:
        message = BytesParser(EmailMessage, policy=email.policy.default).parse(file)
    body = message.get_body(("plain", "html"))
    return Mail(
        number,
        path.name,
        datetime.fromtimestamp(path.stat().st_mtime, UTC),
        str(message["from"] or ""),
        str(message["x-tallow-recipients"] or message["to"] or ""),
        str(message["subject"] or "(no subject)"),
        body.get_content() if body else "",
    )
