"""Passwords and tokens of the stack, created at the first start and stored in files of mode 0600."""

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
    """A secret: its file, its use and its user."""

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
        "/metrics of Tallow and the dashboards, /api/health/detailed (Authorization: Bearer)",
    ),
)


def create_missing(folder: Path) -> None:
    """Create the secrets that are missing in ``folder``."""
    for credential in CREDENTIALS:
        if not (folder / credential.file).exists():
            write_private(folder / credential.file, secrets.token_urlsafe(24))
    if not web_config_is_current(folder):
        _write_web_config(folder)


def rotate(folder: Path) -> None:
    """Replace all secrets; the old ones stop working when their servers have read the files again."""
    for credential in CREDENTIALS:
        write_private(folder / credential.file, secrets.token_urlsafe(24))
    _write_web_config(folder)


def read(folder: Path, credential: Credential) -> str:
    """The value of a secret."""
    return (folder / credential.file).read_text(encoding="utf-8")


def password(folder: Path) -> str:
    """The monitoring password."""
    return (folder / PASSWORD_FILE).read_text(encoding="utf-8")


def password_hash_line(folder: Path) -> str:
    """The user and the bcrypt hash of the monitoring password, in the format of htpasswd."""
    users = yaml.safe_load((folder / WEB_CONFIG_FILE).read_text(encoding="utf-8"))["basic_auth_users"]
    return f"{USER}:{users[USER]}\n"


def web_config_is_current(folder: Path) -> bool:
    """Whether the web configuration has the hash of the current password; a rotation may be incomplete."""
    file = folder / WEB_CONFIG_FILE
    if not file.exists() or not (folder / PASSWORD_FILE).exists():
        return False
    users = yaml.safe_load(file.read_text(encoding="utf-8"))["basic_auth_users"]
    return bcrypt.checkpw(password(folder).encode(), users[USER].encode())


def _write_web_config(folder: Path) -> None:
    hashed = bcrypt.hashpw(password(folder).encode(), bcrypt.gensalt(BCRYPT_COST)).decode()
    write_private(folder / WEB_CONFIG_FILE, web_config(hashed))
