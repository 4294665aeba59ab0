"""A test receiver for e-mail: an SMTP server that requires a password and parses every message."""

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

from tallow.stack.drill.receivers.message import ENDED, Inbox, ReceivedMessage

USER: Final = "tallow@drill.invalid"
_REQUIRED: Final = ("from", "to", "subject", "date")


# No slots: aiosmtpd reads every attribute of its handler, and before Python 3.11.3 the attribute __weakref__
# of a dataclass with slots raises TypeError (CPython gh-102069).
@dataclass(frozen=True)
class SmtpHandler:
    """The handler of aiosmtpd.

    Args:
        addresses: the recipients that exist; mail to others is rejected.
        password: of :data:`USER`.
    """

    inbox: Inbox
    addresses: Collection[str]
    password: str

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        """Check the credentials of a client (aiosmtpd's hook)."""
        password = data.password if isinstance(data, LoginPassword) and data.login == USER.encode() else b""
        if hmac.compare_digest(password, self.password.encode()):
            return AuthResult(success=True)
        self.inbox.reject("email", "535 authentication failed")
        return AuthResult(success=False, handled=False)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept or reject a recipient (aiosmtpd's hook)."""
        if not session.authenticated:
            self.inbox.reject("email", "530 no password was sent")
            return "530 authentication required"
        if address not in self.addresses:
            self.inbox.reject("email", f"550 no such mailbox: {address}")
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Store a message (aiosmtpd's hook)."""
        parser = BytesParser(EmailMessage, policy=email.policy.default)
        mail = parser.parsebytes(envelope.original_content or b"")
        missing = [name for name in _REQUIRED if not mail[name]]
        body = mail.get_body(("plain",))
        if missing or body is None:
            reason = f"no {', '.join(missing)}" if missing else "no plain text"
            self.inbox.reject("email", f"550 {reason}")
            return f"550 {reason}"
        subject = str(mail["subject"])
        text = body.get_content().strip()
        for address in envelope.rcpt_tos:
            self.inbox.accept(ReceivedMessage("email", address, not subject.startswith(ENDED), subject, text))
        return "250 OK"


@asynccontextmanager
async def serving(handler: SmtpHandler, port: int = 0) -> AsyncIterator[int]:
    """Run the server on loopback until the block ends, and yield its port."""

    def protocol() -> SMTP:
        return SMTP(
            handler,
            hostname="localhost",
            ident="Tallow drill",
            authenticator=handler.authenticate,
            auth_require_tls=False,  # loopback
            auth_exclude_mechanism=["LOGIN"],  # Alertmanager does not understand its prompts
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port)
    async with server:
        yield server.sockets[0].getsockname()[1]
