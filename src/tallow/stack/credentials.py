"""Passwords and tokens of the stack: made at first start, kept in files of mode 0600."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import yaml

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.stack.prometheus import METRICS_TOKEN_FILE, PASSWORD_FILE, USER, web_config

WEB_CONFIG_FILE = "web.yml"
BCRYPT_COST = 10


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret with where it is asked for."""

    name: str
    file: str
    used_for: str
    user: str | None = None


CREDENTIALS = (
    Credential(
        "monitoring password",
        PASSWORD_FILE,
        "the dashboards, Prometheus, Alertmanager, node-exporter, heartbeat, mailbox",
        USER,
    ),
    Credential(
        "metrics token",
        METRICS_TOKEN_FILE,
        "/metrics of Tallow and the dashboards (Authorization: Bearer)",
    ),
)


def create_missing(folder: Path) -> None:
    """Make what is missing in ``folder``; what is there stays."""
    for credential in CREDENTIALS:
        if not (folder / credential.file).exists():
            write_private(folder / credential.file, secrets.token_urlsafe(24))
    if not _asks_for_the_password(folder):
        _write_web_config(folder)


def rotate(folder: Path) -> None:
    """Make all of them anew; the old ones are void as soon as their users have read the files again."""
    for credential in CREDENTIALS:
        write_private(folder / credential.file, secrets.token_urlsafe(24))
    _write_web_config(folder)


def read(folder: Path, credential: Credential) -> str:
    """A secret's value."""
    return (folder / credential.file).read_text(encoding="utf-8")


def password(folder: Path) -> str:
    """The monitoring password."""
    return (folder / PASSWORD_FILE).read_text(encoding="utf-8")


def _asks_for_the_password(folder: Path) -> bool:
    """Whether the hash is there and the password's: a rotation may have been cut short."""
    file = folder / WEB_CONFIG_FILE
    if not file.exists():
        return False
    users = yaml.safe_load(file.read_text(encoding="utf-8"))["basic_auth_users"]
    return bcrypt.checkpw(password(folder).encode(), users[USER].encode())


def _write_web_config(folder: Path) -> None:
    hashed = bcrypt.hashpw(password(folder).encode(), bcrypt.gensalt(BCRYPT_COST)).decode()
    write_private(folder / WEB_CONFIG_FILE, web_config(hashed))
