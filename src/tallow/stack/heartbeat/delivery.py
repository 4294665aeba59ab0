"""One delivery through a channel, whatever the channel does."""

from __future__ import annotations

import asyncio
import sys
import traceback
from pathlib import Path
from typing import Final

from tallow.stack.heartbeat.channels import Channel, UndeliveredError
from tallow.stack.heartbeat.message import HeartbeatMessage

TIMEOUT_S: Final = 60.0
"""For a whole delivery: a far end that answers byte by byte stays within the limit of each read."""


async def deliver(channel: Channel, message: HeartbeatMessage, timeout_s: float = TIMEOUT_S) -> str:
    """Hand a message to a channel: what went wrong, in a few words; empty if it was delivered.

    No exception of a channel leaves this function: the checker has to go on.
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
    """An exception that nobody expected, without its text, which may hold a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"an unexpected error: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def log(line: str) -> None:
    """Write to the checker's log."""
    print(line, file=sys.stderr, flush=True)
