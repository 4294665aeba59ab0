"""Flow control of a data channel: aiortc's SCTP does not limit a sender whose peer reads slowly."""

from __future__ import annotations

from collections import deque
from typing import Final

MAX_WINDOW: Final = 4 << 20
"""Unacknowledged bytes at most. A peer that sends more is disconnected."""
MIN_WINDOW: Final = 192 * 1024
"""The window for the shortest round trip: as many packets fit into a Linux socket buffer."""
MAX_BYTES_PER_SECOND: Final = 16e6
"""What aiortc can transfer. A window of more than this per round trip would overflow the receiver's socket,
and a packet lost at the end costs a second."""
ACK_EVERY: Final = 32 * 1024
"""Bytes after which the receiver acknowledges."""


class SendWindow:
    """Limits the unacknowledged bytes of a sender.

    >>> window = SendWindow()
    >>> window.sent(MIN_WINDOW)
    >>> window.fits(1)
    False
    >>> window.acknowledge(ACK_EVERY)
    >>> window.fits(1)
    True
    """

    def __init__(self) -> None:
        self._size = MIN_WINDOW
        self._unacknowledged = 0

    def fits(self, size: int) -> bool:
        """Whether ``size`` more bytes may be sent now."""
        # The receiver acknowledges every ACK_EVERY bytes: fewer never block the sender.
        return self._unacknowledged < ACK_EVERY or self._unacknowledged + size <= self._size

    def sent(self, size: int) -> None:
        """Count sent bytes."""
        self._unacknowledged += size

    def acknowledge(self, size: int) -> None:
        """Count bytes that the other side acknowledged."""
        self._unacknowledged = max(0, self._unacknowledged - size)

    def adapt(self, round_trip_s: float) -> None:
        """Set the window to the product of round trip and throughput."""
        self._size = int(min(MAX_WINDOW, max(MIN_WINDOW, MAX_BYTES_PER_SECOND * round_trip_s)))


class ReceiveBuffer:
    """Received messages that the caller has not read."""

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._size = 0
        self._to_acknowledge = 0

    def __bool__(self) -> bool:
        return bool(self._messages)

    def put(self, message: bytes) -> bool:
        """Add a message. False, if the sender exceeded the largest window: it is not added."""
        if self._size + len(message) > MAX_WINDOW:
            return False
        self._messages.append(message)
        self._size += len(message)
        return True

    def take(self) -> tuple[bytes, int]:
        """The next message, and the bytes to acknowledge now (0: not yet)."""
        message = self._messages.popleft()
        self._size -= len(message)
        self._to_acknowledge += len(message)
        if self._to_acknowledge < ACK_EVERY:
            return message, 0
        acknowledged, self._to_acknowledge = self._to_acknowledge, 0
        return message, acknowledged
