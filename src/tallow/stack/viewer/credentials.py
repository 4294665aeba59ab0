"""The viewer's credentials, from a file of mode 0600 with one password or several as JSON."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MIN_PASSWORD: Final = 12
MIN_TOKEN: Final = 16
MAX_BYTES: Final = 64 * 1024
USER: Final = "tallow"
"""The user of a single password."""


class BadCredentialsError(Exception):
    """The credentials file is not usable; the message says why and contains no secret."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user and password; ``repr`` omits the password."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login(user={self.user!r})"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The logins of the viewer and of the servers behind it.

    Attributes:
        viewer: the login of the viewer; its user is only a hint for password managers.
        prometheus: basic authentication (RFC 7617) for Prometheus; None if it requires none.
        alertmanager: the same for Alertmanager.
    """

    viewer: Login
    prometheus: Login | None = None
    alertmanager: Login | None = None


def load_credentials(path: Path) -> Credentials:
    """Read the password of the stack, which all servers share, or a JSON object:
    ``{"viewer": {"user": …, "password": …}, "prometheus": …, "alertmanager": …}``.

    Only the member ``viewer`` is required; unknown members are ignored.

    Raises:
        BadCredentialsError: the file is missing, readable by others, or has another content.
    """
    text = _read(path).strip()
    if text.startswith(("{", "[")):
        return _several(path, text)
    if len(text) < MIN_PASSWORD or not text.isprintable():
        raise BadCredentialsError(f"{path} needs one line, a password of at least {MIN_PASSWORD} characters")
    login = Login(USER, text)
    return Credentials(login, login, login)


def load_token(path: Path) -> str:
    """A bearer token from a file of mode 0600: one line of at least 16 printable characters, no space.

    Raises:
        BadCredentialsError: the file is missing, readable by others, or has another content.
    """
    text = _read(path).strip()
    if len(text) < MIN_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
        raise BadCredentialsError(
            f"{path} needs one line, a token of at least {MIN_TOKEN} printable characters without a space"
        )
    return text


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            _require_private_mode(path, os.fstat(file.fileno()))
            return file.read(MAX_BYTES).decode()
    except OSError as error:
        raise BadCredentialsError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadCredentialsError(f"{path} is not text in UTF-8") from None


def _several(path: Path, text: str) -> Credentials:
    try:
        content = json.loads(text)
    except ValueError:
        raise BadCredentialsError(f"{path} is not JSON") from None
    if not isinstance(content, dict) or "viewer" not in content:
        raise BadCredentialsError(f"{path} needs an object with a member 'viewer'")
    viewer = _login(path, content, "viewer")
    if viewer is None or len(viewer.password) < MIN_PASSWORD:
        raise BadCredentialsError(f"{path}: the viewer's password has fewer than {MIN_PASSWORD} characters")
    return Credentials(viewer, _login(path, content, "prometheus"), _login(path, content, "alertmanager"))


def _login(path: Path, content: dict[str, Any], name: str) -> Login | None:
    found = content.get(name)
    if found is None:
        return None
    texts = isinstance(found, dict) and all(isinstance(found.get(key), str) for key in ("user", "password"))
    if not texts:
        raise BadCredentialsError(f"{path}: '{name}' needs 'user' and 'password', both text")
    return Login(found["user"], found["password"])


def _require_private_mode(path: Path, status: os.stat_result) -> None:
    if os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadCredentialsError(f"{path} can be read by others; run chmod 600")
