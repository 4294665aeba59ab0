"""What the server reports about the other peer of a room."""

from __future__ import annotations

import asyncio


class PeerPresence:
    """The other peer's presence and confirmation, as events to wait for.

    Attributes:
        present: set while it is in the room.
        absent: set while it is away after it was present.
        departed: set when it left on purpose, with an outcome.
        outcome: the outcome that it left with.
        resumable: whether it left with a transfer that can be resumed.
        seen: whether it was ever in the room.
        confirming: at the sender: set while the person at the receiver is asked.
        confirmed: at the sender: set once that person agreed.
    """

    def __init__(self) -> None:
        self.present = asyncio.Event()
        self.absent = asyncio.Event()
        self.departed = asyncio.Event()
        self.confirming = asyncio.Event()
        self.confirmed = asyncio.Event()
        self.outcome: str | None = None
        self.resumable = False
        self.seen = False

    def joined(self) -> None:
        """It joined, or was in the room already."""
        self.outcome = None
        self.absent.clear()
        self.departed.clear()
        self.seen = True
        self.present.set()

    def left(self, outcome: str | None = None, *, resumable: bool = False) -> None:
        """It left, or lost its connection. With an outcome it left on purpose."""
        self.outcome, self.resumable = outcome, resumable
        if outcome is not None:
            self.departed.set()
        self.present.clear()
        self.absent.set()

    def confirmation(self, state: object) -> None:
        """The receiver's person is asked (``pending``) or agreed (``given``)."""
        if state == "pending":
            self.confirmed.clear()
            self.confirming.set()
        elif state == "given":
            self.confirming.clear()
            self.confirmed.set()
