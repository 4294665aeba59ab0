"""The mailbox: an SMTP server on loopback that stores alert mail while no mail server is set."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import mailbox
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tallow.monitoring.http.uvicorn_records import log_refused_connection
from tallow.monitoring.integrations.http_server.acceptor import Acceptor
from tallow.monitoring.integrations.http_server.connection_table import (
    Connection,
    ConnectionState,
    ConnectionTable,
)
from tallow.monitoring.integrations.http_server.limits import ConnectionLimits
from tallow.stack.password_file import PasswordFileError, login_matches, read_password
from tallow.stack.prometheus import USER

MAX_MESSAGE_BYTES: Final = 1_000_000
MAX_MESSAGES: Final = 10_000
"""Stored messages; above it the oldest are deleted."""
LIMITS: Final = ConnectionLimits(
    header_timeout=30,
    connections_per_address=50,
    max_connections=100,
    on_refusal=log_refused_connection,
)
"""The time is that for a login. A new connection displaces the oldest one without a login."""
IDLE_TIMEOUT_S: Final = 60
"""Between two commands of a client that has logged in."""
SWEEP_S: Final = 0.5


class MaildirHandler:
    """Handler for aiosmtpd: stores each message of an authenticated client in a Maildir.

    Each message is a file that is written atomically.

    Args:
        folder: the Maildir.
        password_file: the file with the password of :data:`~tallow.stack.prometheus.USER`.
    """

    def __init__(self, folder: Path, password_file: Path) -> None:
        self._password_file = password_file
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._new = folder / "new"
        self._box = mailbox.Maildir(folder, create=True)
        self._stored = len(self._box)

    def authenticate(
        self, server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        """Called by aiosmtpd with the client's login."""
        try:
            password = read_password(self._password_file)
        except PasswordFileError as error:
            print(f"logins fail: {error}", file=sys.stderr, flush=True)
            return AuthResult(success=False, handled=False)
        given = data if isinstance(data, LoginPassword) else LoginPassword(b"", b"")
        matches = login_matches(given.login, given.password, USER, password)
        if matches and isinstance(server, MailboxProtocol):
            server.connection.enter(ConnectionState.ACTIVE)
        return AuthResult(success=matches, handled=False)

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called by aiosmtpd with the sender of a message."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by aiosmtpd with a whole message; returns the reply to the client."""
        message = mailbox.MaildirMessage(envelope.original_content or b"")
        message["X-Tallow-Recipients"] = ", ".join(envelope.rcpt_tos)
        try:
            self._box.add(message)
            self._stored += 1
            if self._stored > MAX_MESSAGES:
                self._delete_oldest()
        except OSError as error:
            return f"452 not stored: {error.strerror}"  # the client retries
        return "250 stored"

    def _delete_oldest(self) -> None:
        oldest = sorted(self._new.iterdir(), key=lambda path: path.stat().st_mtime)[: MAX_MESSAGES // 10]
        for path in oldest:
            path.unlink()
        self._stored -= len(oldest)


class MailboxProtocol(SMTP):
    """An SMTP connection within the limits of a connection table."""

    def __init__(self, connection: Connection, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connection = connection

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.connection.protocol = self
        self.connection.abort = transport.abort
        self.connection.is_closing = transport.is_closing

    def connection_lost(self, error: Exception | None) -> None:
        self.connection.release()
        super().connection_lost(error)

    def time_out(self, _limit: str) -> None:
        """Close the connection of a client that has not logged in."""
        if self.transport is not None:
            self.transport.close()


def _protocol(handler: MaildirHandler, connection: Connection) -> SMTP:
    return MailboxProtocol(
        connection,
        handler,
        timeout=IDLE_TIMEOUT_S,
        data_size_limit=MAX_MESSAGE_BYTES,
        ident="Tallow mailbox",
        hostname="localhost",
        authenticator=handler.authenticate,
        auth_require_tls=False,  # loopback
        auth_exclude_mechanism=["LOGIN"],  # Alertmanager expects other prompts
    )


async def serve(folder: Path, password_file: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        folder: the Maildir.
        password_file: the file with the password of clients.
    """
    handler, stopping = MaildirHandler(folder, password_file), asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stopping.set)
    table = ConnectionTable(LIMITS, LIMITS.total)
    acceptor = Acceptor(_listen(host, port), table, lambda connection: _protocol(handler, connection))
    try:
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await stopping.wait()
            table.close_expired()
    finally:
        acceptor.close()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; exits with one line if the address is not available."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as on_error:
            listener = on_error.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
            on_error.pop_all()
    except OSError as error:
        sys.exit(f"cannot listen on {host}:{port}: {error.strerror or error}")
    return listener


def main() -> int:
    """``python -m tallow.stack.mailbox --port 1025 --folder FOLDER --password-file FILE``."""
    parser = argparse.ArgumentParser(prog="python -m tallow.stack.mailbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1025)
    parser.add_argument("--folder", type=Path, required=True, help="the Maildir")
    parser.add_argument(
        "--password-file", type=Path, required=True, help=f"the file with the password of user {USER}"
    )
    options = parser.parse_args()
    os.umask(0o077)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd logs a warning at each login
    try:
        read_password(options.password_file)
    except PasswordFileError as error:
        sys.exit(str(error))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.folder, options.password_file, options.host, options.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
