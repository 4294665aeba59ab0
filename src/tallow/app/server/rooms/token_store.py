"""Random tokens and what they stand for. Only hashes are kept: a look-up tells nothing by its time."""

from __future__ import annotations

import hashlib
import secrets
from typing import Generic, TypeVar

V = TypeVar("V")


class TokenStore(Generic[V]):
    """Tokens in memory: issued, found, taken once, revoked.

    Args:
        home: put before each token, so that whoever is shown one knows which server process issued it.
    """

    def __init__(self, home: str = "") -> None:
        self._prefix = f"{home}." if home else ""
        self._values: dict[bytes, V] = {}

    def issue(self, value: V) -> str:
        """A fresh token of 192 random bits that stands for ``value``."""
        token = self._prefix + secrets.token_urlsafe(24)
        self._values[_digest(token)] = value
        return token

    def find(self, token: str) -> V | None:
        """What a token stands for, or None."""
        return self._values.get(_digest(token))

    def revoke(self, token: str) -> None:
        """Make a token worthless."""
        self._values.pop(_digest(token), None)

    def __len__(self) -> int:
        return len(self._values)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
