"""The share link: ``https://host/#ROOM.SECRET``. What stands behind the # never reaches a server."""

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
    """A link, or a server's address, that cannot be used. The text is one line, and never the link itself."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where to meet, and the secret that lets two sides meet there. Only :attr:`text` spells the secret out.

    Attributes:
        server: the server's origin, ``https://host[:port]``.
        room: the room's public name.
        secret: 128 random bits.
    """

    server: str
    room: str
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The link as it is handed to the other side."""
        return f"{self.server}/#{self.room}.{encode_base64url(self.secret)}"

    @property
    def join_token(self) -> bytes:
        """What opens the room; see :func:`tallow.app.crypto.kdf.join_token`."""
        return join_token(self.secret)

    @property
    def resume_key(self) -> bytes:
        """Names this link's partial files on a receiver's disk."""
        return resume_key(self.secret)

    @classmethod
    def parse(cls, text: str, server: Callable[[], str] | None = None) -> Link:
        """A link from what a person pasted.

        Args:
            server: the address of the server where the link names none (``#ROOM.SECRET`` or ``ROOM.SECRET``);
                without it such a link is refused.

        Raises:
            LinkError: it is none; the message says which part is wrong.
        """
        place, hash_sign, fragment = text.strip().partition("#")
        if not hash_sign and server is not None and _FRAGMENT.fullmatch(place):
            place, fragment = "", place
        elif not hash_sign:
            raise LinkError(f"the link has no #; accepted: {ACCEPTED}")
        found = _FRAGMENT.fullmatch(fragment)
        if found is None:
            raise LinkError(f"what stands behind the # is not ROOM.SECRET; accepted: {ACCEPTED}")
        secret = decode_base64url(found[2])
        if encode_base64url(secret) != found[2]:  # 132 bits are spelled, and the last 4 must be 0
            raise LinkError("the last character of the link is wrong: copy the whole link again")
        if not place and server is not None:
            place = server()
        return cls(origin(place), found[1], secret)


def new_secret() -> bytes:
    """128 random bits."""
    return os.urandom(SECRET_BYTES)


def token_hash(secret: bytes) -> str:
    """What a server is told when a room is made: SHA-256 of the join token, in hexadecimal."""
    return hashlib.sha256(join_token(secret)).hexdigest()


def origin(address: str) -> str:
    """A server's origin from its address, in lower case.

    Raises:
        LinkError: it is not http or https with a host and nothing but ``/`` after it.
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
    """Whether a page of this server can be read and changed on its way: plain http to another machine."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    return parts.scheme == "http" and not (host == "localhost" or is_loopback(host))
