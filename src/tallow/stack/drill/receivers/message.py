"""Received and rejected messages, in one form for every channel."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final, Literal

ENDED: Final = ("[RESOLVED]", "[ENDED]")
"""How the subject of a message begins whose alert does not fire any more."""

Channel = Literal["email", "slack", "pagerduty"]


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message that a receiver accepted.

    Attributes:
        target: the recipient's address; the channel's name if the channel has one recipient only.
        firing: False for the message that the alert is resolved.
        text: everything that a person can read in it.
        dedup_key: PagerDuty's key of an incident; empty on other channels.
        received_at: seconds since the epoch.
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
    """A message that a receiver rejected, and the reply that it sent."""

    channel: str
    reply: str
    rejected_at: float = field(default_factory=time.time)


@dataclass(slots=True)
class Inbox:
    """Everything that the receivers accepted and rejected, in order."""

    messages: list[ReceivedMessage] = field(default_factory=list)
    rejections: list[RejectedMessage] = field(default_factory=list)

    def accept(self, message: ReceivedMessage) -> None:
        """Store an accepted message."""
        self.messages.append(message)

    def reject(self, channel: str, reply: str) -> None:
        """Store a rejection."""
        self.rejections.append(RejectedMessage(channel, reply))
