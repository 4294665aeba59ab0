"""The mailbox: an SMTP server on loopback that keeps every message, so that no alert is lost unread."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import mailbox
import os
import signal
import sys
from pathlib import Path
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_MESSAGE_BYTES: Final = 1_000_000
KEPT: Final = 10_000
"""Messages; the oldest make room."""
MAX_CONNECTIONS: Final = 50


class Keep:
    """Puts each message into a Maildir (one file each, safe against a crash half way)."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._new = folder / "new"
        self._box = mailbox.Maildir(folder, create=True)
        self._kept = len(self._box)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by aiosmtpd with a whole message; the answer goes to the client."""
        message = mailbox.MaildirMessage(envelope.original_content or b"")
        message["X-Tallow-Recipients"] = ", ".join(envelope.rcpt_tos)
        try:
            self._box.add(message)
            self._kept += 1
            if self._kept > KEPT:
                self._make_room()
        except OSError as error:
            return f"452 not kept: {error.strerror}"  # the client tries again
        return "250 kept"

    def _make_room(self) -> None:
        oldest = sorted(self._new.iterdir(), key=lambda path: path.stat().st_mtime)[: KEPT // 10]
        for path in oldest:
            path.unlink()
        self._kept -= len(oldest)


def _protocol(handler: Keep) -> SMTP:
    return SMTP(handler, data_size_limit=MAX_MESSAGE_BYTES, ident="Tallow mailbox", hostname="localhost")


async def serve(folder: Path, host: str, port: int) -> None:
    """Until told to stop."""
    handler, stopping = Keep(folder), asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, stopping.set)
    server = await loop.create_server(lambda: _protocol(handler), host, port, backlog=MAX_CONNECTIONS)
    async with server:
        await stopping.wait()


def main() -> int:
    """``python -m tallow.stack.mailbox --port 1025 --folder FOLDER``."""
    parser = argparse.ArgumentParser(prog="python -m tallow.stack.mailbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1025)
    parser.add_argument("--folder", type=Path, required=True, help="the Maildir")
    chosen = parser.parse_args()
    os.umask(0o077)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(chosen.folder, chosen.host, chosen.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
