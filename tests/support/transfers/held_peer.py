"""Runs a `tallow` command that stays at one stage of its transfer: ``held_peer.py STAGE send FILE --json``.

It prints the event ``held`` when it has reached the stage. Real commands pass the stages too fast for a
signal to meet each of them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tallow.app.crypto.frames import FrameHeader, FrameType
from tallow.app.files.partial_file import PartialFile
from tallow.app.peer.connection.connector import ChannelConnector
from tallow.app.peer.connection.secure_channel import SecureChannel
from tallow.app.peer.transfer import prepare, session
from tallow.app.peer.transfer.rate_limit import RateLimit
from tallow.app.peer.transfer.receiver import TransferReceiver
from tallow.cli import main

FOREVER_S = 3600
SLOW_DISK_S = 1.0


def announce() -> None:
    sys.stdout.write(json.dumps({"event": "held"}) + "\n")
    sys.stdout.flush()


async def held(*_: Any, **_more: Any) -> Any:
    """In place of any coroutine function: stays there."""
    announce()
    await asyncio.sleep(FOREVER_S)


def hold_confirmation() -> None:
    init = TransferReceiver.__init__

    def unanswered(self: TransferReceiver, *given: Any, **_: Any) -> None:
        init(self, *given, confirm=held)

    TransferReceiver.__init__ = unanswered  # type: ignore[method-assign]


def hold_data() -> None:
    passed: list[int] = []

    async def first_only(_self: RateLimit, size: int) -> None:
        if passed:
            await held()
        passed.append(size)

    RateLimit.wait = first_only  # type: ignore[method-assign,assignment]


def hold_verification() -> None:
    finish = PartialFile.finish

    def slow(self: PartialFile) -> Path:  # runs in a thread, like a call that waits for the disk
        announce()
        time.sleep(SLOW_DISK_S)
        return finish(self)

    PartialFile.finish = slow  # type: ignore[method-assign]


def hold_finish() -> None:
    send = SecureChannel.send

    async def not_finish(self: SecureChannel, header: FrameHeader, payload: Any = b"") -> None:
        await (held() if header.kind is FrameType.FINISH else send(self, header, payload))

    SecureChannel.send = not_finish  # type: ignore[method-assign]


def replace(owner: Any, *names: str) -> Callable[[], None]:
    def apply() -> None:
        for name in names:
            setattr(owner, name, held)

    return apply


STAGES: dict[str, Callable[[], None]] = {
    "preparing": replace(prepare, "_digest"),
    "connecting": replace(ChannelConnector, "open", "accept"),
    "handshake": replace(session, "perform_handshake"),
    "confirming": hold_confirmation,
    "transferring": hold_data,
    "verifying": hold_verification,
    "finishing": hold_finish,
}

if __name__ == "__main__":
    STAGES[sys.argv.pop(1)]()
    sys.exit(main())
