"""A real SMTP server that asks for its password, knows its addresses and reads what it takes."""

from __future__ import annotations

import asyncio
import email.policy
import hmac
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tallow.stack.drill.receivers.message import Inbox, ReceivedMessage

USER: Final = "tallow@drill.invalid"
_REQUIRED: Final = ("from", "to", "subject", "date")


# No slots: aiosmtpd reads every attribute of its handler, and before Python 3.11.3 the attribute __weakref__
# of a dataclass with slots raises TypeError (CPython gh-102069).
@dataclass(frozen=True)
class SmtpHandler:
    """aiosmtpd's hooks.

    Args:
        addresses: who has a letter box here; mail to anybody else is refused.
        password: what :data:`USER` has to show.
    """

    inbox: Inbox
    addresses: Collection[str]
    password: str

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any
    ) -> AuthResult:
        """Called by aiosmtpd with what the client showed."""
        shown = data.password if isinstance(data, LoginPassword) and data.login == USER.encode() else b""
        if hmac.compare_digest(shown, self.password.encode()):
            return AuthResult(success=True)
        self.inbox.reject("email", "535 authentication failed")
        return AuthResult(success=False, handled=False)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called by aiosmtpd for each recipient."""
        if not session.authenticated:
            self.inbox.reject("email", "530 no password was shown")
            return "530 authentication required"
        if address not in self.addresses:
            self.inbox.reject("email", f"550 no letter box for {address}")
            return "550 no such letter box"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by aiosmtpd with a whole message."""
        parser = BytesParser(EmailMessage, policy=email.policy.default)
        letter = parser.parsebytes(envelope.original_content or b"")
        missing = [name for name in _REQUIRED if not letter[name]]
        body = letter.get_body(("plain",))
        if missing or body is None:
            what = f"no {', '.join(missing)}" if missing else "no plain text"
            self.inbox.reject("email", f"550 {what}")
            return f"550 {what}"
        subject = str(letter["subject"])
        text = body.get_content().strip()
        for address in envelope.rcpt_tos:
            self.inbox.accept(
                ReceivedMessage("email", address, not subject.startswith("[RESOLVED]"), subject, text)
            )
        return "250 taken"


@asynccontextmanager
async def serving(office: SmtpHandler, port: int = 0) -> AsyncIterator[int]:
    """The server on loopback: its port."""

    def protocol() -> SMTP:
        return SMTP(
            office,
            hostname="localhost",
            ident="Tallow drill",
            authenticator=office.authenticate,
            auth_require_tls=False,  # loopback
            auth_exclude_mechanism=["LOGIN"],  # its prompts are not those that Alertmanager waits for
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port)
    async with server:
        yield server.sockets[0].getsockname()[1]
