"""A delivery through a channel that never raises."""

from __future__ import annotations

import asyncio
import sys
import traceback
from pathlib import Path
from typing import Final

from tallow.stack.heartbeat.channels import Channel, UndeliveredError
from tallow.stack.heartbeat.message import HeartbeatMessage

TIMEOUT_S: Final = 60.0
"""For a whole delivery: a server that answers byte by byte never exceeds the timeout of a read."""


async def deliver(channel: Channel, message: HeartbeatMessage, timeout_s: float = TIMEOUT_S) -> str:
    """Deliver a message; returns why it failed, or an empty string.

    It catches every exception of a channel, because the checker must keep running.
    """
    try:
        async with asyncio.timeout(timeout_s):
            await channel.send(message)
    except UndeliveredError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {timeout_s:g} s"
    except Exception as error:  # noqa: BLE001 - see above
        return describe_defect(error)
    return ""


def describe_defect(error: Exception) -> str:
    """Describe an unexpected exception without its text, which may contain a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"an unexpected error: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def log(line: str) -> None:
    """Write to the checker's log."""
    print(line, file=sys.stderr, flush=True)
