"""The viewer's credentials: a file that only its owner may read, with one password or several as JSON."""

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
"""Whose the one password is."""


class BadCredentialsError(Exception):
    """The credentials file cannot be used; the message says why and never holds a secret."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user and password, kept out of representations."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login(user={self.user!r})"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the viewer asks of people, and what it shows to the servers behind it.

    Attributes:
        viewer: the login page's; its user is for the password manager only.
        prometheus: basic authentication (RFC 7617) towards Prometheus; None where it asks for none.
        alertmanager: the same towards Alertmanager.
    """

    viewer: Login
    prometheus: Login | None = None
    alertmanager: Login | None = None


def load_credentials(path: Path) -> Credentials:
    """Read the one password of the stack, which every part asks for, or a JSON object:
    ``{"viewer": {"user": …, "password": …}, "prometheus": …, "alertmanager": …}``.

    Of the object's members only ``viewer`` must be there; unknown ones are left to others.

    Raises:
        BadCredentialsError: the file is missing, open to others, or holds neither.
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
        BadCredentialsError: the file is missing, open to others, or holds something else.
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
            _only_for_its_owner(path, os.fstat(file.fileno()))
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


def _only_for_its_owner(path: Path, status: os.stat_result) -> None:
    if os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadCredentialsError(f"{path} can be read by others; chmod 600 it")
