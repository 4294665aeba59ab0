"""Random tokens that stand for values.

Only their hashes are kept, so that the time of a look-up reveals nothing about the tokens.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Generic, TypeVar

V = TypeVar("V")


class TokenStore(Generic[V]):
    """Tokens in memory.

    Args:
        issuer: name of this process, the prefix of each token; other processes find the issuer by it.
    """

    def __init__(self, issuer: str = "") -> None:
        self._prefix = f"{issuer}." if issuer else ""
        self._values: dict[bytes, V] = {}

    def issue(self, value: V) -> str:
        """A new token of 192 random bits that stands for ``value``."""
        token = self._prefix + secrets.token_urlsafe(24)
        self._values[_digest(token)] = value
        return token

    def find(self, token: str) -> V | None:
        """The value of a token; None if it is unknown or revoked."""
        return self._values.get(_digest(token))

    def revoke(self, token: str) -> None:
        """Make a token invalid."""
        self._values.pop(_digest(token), None)

    def __len__(self) -> int:
        return len(self._values)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
