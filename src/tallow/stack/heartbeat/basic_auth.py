"""HTTP basic authentication of the checker's pages with the monitoring password."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tallow.stack.heartbeat.delivery import log
from tallow.stack.password_file import PasswordFileError, login_matches, read_password
from tallow.stack.prometheus import USER
from tallow.stack.viewer.guard import HEALTH_PATH

_CHALLENGE: Final = {"www-authenticate": 'Basic realm="Tallow monitoring", charset="UTF-8"'}


class BasicAuth:
    """ASGI middleware for HTTP basic authentication (RFC 7617). The health endpoint needs none.

    Args:
        password_file: the file with the password of :data:`~tallow.stack.prometheus.USER`.
    """

    def __init__(self, app: ASGIApp, password_file: Path) -> None:
        self._app, self._password_file = app, password_file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == HEALTH_PATH:
            await self._app(scope, receive, send)
            return
        try:
            password = read_password(self._password_file)
        except PasswordFileError as error:
            log(f"logins fail: {error}")
            await PlainTextResponse("the password file is not usable; see the log\n", 503)(
                scope, receive, send
            )
            return
        user, given = _login(Headers(scope=scope).get("authorization", ""))
        if login_matches(user, given, USER, password):
            await self._app(scope, receive, send)
        else:
            refusal = PlainTextResponse("user and password: tallow credentials\n", 401, _CHALLENGE)
            await refusal(scope, receive, send)


def _login(header: str) -> tuple[bytes, bytes]:
    """User and password of an ``Authorization`` header; both empty if it has none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return b"", b""
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):  # ValueError: characters that are not ASCII
        return b"", b""
    return user, password
