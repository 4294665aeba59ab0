"""Read and check the monitoring password."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path


class PasswordFileError(Exception):
    """The file has no usable password; the message is one line that names the file."""


def read_password(path: Path) -> str:
    """The password without surrounding white space, as Prometheus and Alertmanager read it.

    Callers read it for each login, so that a rotation needs no restart.

    Raises:
        PasswordFileError: the file cannot be read, is not text or is empty.
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
    """Whether user and password are the expected ones, compared in constant time."""
    # Digests have equal lengths; compare_digest reveals whether lengths differ.
    same_user = hmac.compare_digest(_digest(user), _digest(expected_user.encode()))
    same_password = hmac.compare_digest(_digest(password), _digest(expected_password.encode()))
    return same_user & same_password


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
