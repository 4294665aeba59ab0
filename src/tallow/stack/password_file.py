"""The file with the monitoring password, as its servers and clients read it."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path


class PasswordFileError(Exception):
    """The file holds no password that can be used: one line that names the file."""


def read_password(path: Path) -> str:
    """The password, without white space around it, as Prometheus and Alertmanager read it.

    It is read each time it is needed: after a rotation nothing has to be started again.

    Raises:
        PasswordFileError: the file cannot be read, is no text or is empty.
    """
    try:
        password = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise PasswordFileError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PasswordFileError(f"{path} is not text in UTF-8") from None
    if not password:
        raise PasswordFileError(f"{path} is empty")
    return password


def login_matches(user: bytes, password: bytes, expected_user: str, expected_password: str) -> bool:
    """Whether user and password are the expected ones. The time it takes says nothing about them."""
    # Digests have one length: compare_digest alone shows whether the lengths differ.
    same_user = hmac.compare_digest(_digest(user), _digest(expected_user.encode()))
    same_password = hmac.compare_digest(_digest(password), _digest(expected_password.encode()))
    return same_user & same_password


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
