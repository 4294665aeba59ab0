"""A demo transfer to several receivers of one link, the last of which declines the files."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from tallow.app.crypto.errors import DeclinedError
from tallow.app.demo.transfer import OTHER_SIDE_TIMEOUT_S, DemoTransfer, cancel_all
from tallow.app.peer.errors import PeerError
from tallow.app.peer.link import Link
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer.manifest import Manifest
from tallow.app.peer.transfer.outcome import outcome_of
from tallow.app.peer.transfer.receiver_transfers import ReceiverTransfers
from tallow.app.room_ids import rooms_of_link


class SeveralReceiversTransfer(DemoTransfer):
    """The sender and the receivers of one link, all at once."""

    async def _transfer(self, link: Link, paths: list[Path], expires: float) -> BaseException | None:
        rooms = rooms_of_link(link.room)[-self._plan.receivers :]
        metrics = new_metrics()
        sender = ReceiverTransfers(
            self._servers["sender"],
            [self._sender_state(link, expires, f"sent-{room}.json", room) for room in rooms],
            self._start_preparing(paths, metrics),
            self._sender_options(),
            metrics,
            self._recorders["sender"],
            on_joined=lambda: None,
        )
        sending = asyncio.create_task(sender.run(), name="demo sender")
        receiving = [
            asyncio.create_task(self._receive_one(link, expires, number), name="demo receiver")
            for number in range(self._plan.receivers)
        ]
        try:
            await asyncio.wait({sending})
            await asyncio.wait(receiving, timeout=OTHER_SIDE_TIMEOUT_S)
        finally:
            await cancel_all(sending, *receiving)
        first, *others = sorted(sender.errors, key=lambda error: isinstance(error, DeclinedError))
        self._others = tuple(outcome_of(error) for error in others)
        return first

    async def _receive_one(self, link: Link, expires: float, number: int) -> None:
        declines = number == self._plan.receivers - 1
        with suppress(PeerError):  # the one that declines; for others the sender's error counts
            await self._receive(link, expires, f"in-{number}", _decline if declines else None)


async def _decline(_manifest: Manifest) -> bool:
    return False
