"""What arrived, in one shape for every channel, and what was refused."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Literal

Channel = Literal["email", "slack", "pagerduty"]


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message that was taken.

    Attributes:
        target: the recipient's address; the channel's name where there is but one.
        text: everything a person can read of it.
        key: what ties a repeat or the end to its beginning (PagerDuty's ``dedup_key``).
        at: seconds since the epoch.
    """

    channel: Channel
    target: str
    firing: bool
    subject: str
    text: str
    dedup_key: str = ""
    received_at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class RejectedMessage:
    """Something that was not taken, and the answer it got."""

    channel: str
    reply: str
    rejected_at: float = field(default_factory=time.time)


@dataclass(slots=True)
class Inbox:
    """Everything that came, in order."""

    messages: list[ReceivedMessage] = field(default_factory=list)
    rejections: list[RejectedMessage] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def accept(self, message: ReceivedMessage) -> None:
        """Keep a message."""
        self.messages.append(message)
        self._news.set()

    def reject(self, channel: str, answer: str) -> None:
        """Note a refusal."""
        self.rejections.append(RejectedMessage(channel, answer))
        self._news.set()

    async def wait_for_message(self, seconds: float) -> None:
        """Wait until something more has come, at most so long."""
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
