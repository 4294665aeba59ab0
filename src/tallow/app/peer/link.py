"""The share link, ``https://host/#ROOM.SECRET``. Browsers do not send the part after ``#`` to servers."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from tallow.app.crypto.kdf import SECRET_BYTES, join_token, resume_key
from tallow.app.wire import ROOM_ID, decode_base64url, encode_base64url
from tallow.monitoring.http.auth import is_loopback

ACCEPTED: Final = "https://HOST/#ROOM.SECRET"
_FRAGMENT: Final = re.compile(rf"({ROOM_ID.pattern})\.([A-Za-z0-9_-]{{22}})")
_HOST: Final = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")


class LinkError(Exception):
    """A link or a server address is not valid. The text is one line and does not repeat the link."""


@dataclass(frozen=True, slots=True)
class Link:
    """Server, room and secret of a transfer. Only :attr:`text` shows the secret.

    Attributes:
        server: the server's origin, ``https://host[:port]``.
        room: the room id.
        secret: 128 random bits.
    """

    server: str
    room: str
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The link as a person shares it."""
        return f"{self.server}/#{self.room}.{encode_base64url(self.secret)}"

    @property
    def join_token(self) -> bytes:
        """Opens the room; see :func:`tallow.app.crypto.kdf.join_token`."""
        return join_token(self.secret)

    def resume_key(self, room: str) -> bytes:
        """Identifies the partial files of a receiver's room on its disk."""
        return resume_key(self.secret, room)

    @classmethod
    def parse(cls, text: str, server: Callable[[], str] | None = None) -> Link:
        """Parse a link that a person pasted.

        Args:
            server: returns the server's address for a link without one (``#ROOM.SECRET`` or ``ROOM.SECRET``);
                by default such a link is refused.

        Raises:
            LinkError: the text is not a link; the message names the part that is wrong.
        """
        address, hash_sign, fragment = text.strip().partition("#")
        if not hash_sign and server is not None and _FRAGMENT.fullmatch(address):
            address, fragment = "", address
        elif not hash_sign:
            raise LinkError(f"the link has no #; accepted: {ACCEPTED}")
        found = _FRAGMENT.fullmatch(fragment)
        if found is None:
            raise LinkError(f"the part after # is not ROOM.SECRET; accepted: {ACCEPTED}")
        secret = decode_base64url(found[2])
        if encode_base64url(secret) != found[2]:  # 22 characters hold 132 bits; the last 4 must be 0
            raise LinkError("the last character of the link is wrong: copy the whole link again")
        if not address and server is not None:
            address = server()
        return cls(origin(address), found[1], secret)


def new_secret() -> bytes:
    """128 random bits."""
    return os.urandom(SECRET_BYTES)


def token_hash(secret: bytes) -> str:
    """The hash with which a peer creates a room: SHA-256 of the join token, hexadecimal."""
    return hashlib.sha256(join_token(secret)).hexdigest()


def origin(address: str) -> str:
    """The origin of a server's address, in lower case.

    Raises:
        LinkError: the address is not http or https with a host, an optional port, and an optional ``/``.

    >>> origin("https://Tallow.example.org/")
    'https://tallow.example.org'
    """
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        raise LinkError(f"the server's address is not valid; accepted: {ACCEPTED}") from None
    host = parts.netloc.lower().rpartition(":")[0] if port is not None else parts.netloc.lower()
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        raise LinkError("the server's address must be https://HOST or http://HOST, with a port if need be")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise LinkError("the server's address must have nothing after its host and port")
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def is_exposed(server: str) -> bool:
    """Whether the connection to a server is readable on the way: plain http to another machine."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    return parts.scheme == "http" and not (host == "localhost" or is_loopback(host))
