"""Tells every channel what it has not been told yet, again and again until it takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from tallow.stack.heartbeat.channels import Channel
from tallow.stack.heartbeat.delivery import deliver, describe_defect, log
from tallow.stack.heartbeat.faults import ChannelFaults
from tallow.stack.heartbeat.message import HeartbeatMessage, MessageComposer
from tallow.stack.heartbeat.monitor import WAIT_S, HeartbeatMonitor
from tallow.stack.heartbeat.state import HeartbeatState

FIRST_RETRY_S: Final = 1.0
MAX_RETRY_S: Final = 60.0
CHECKS_PER_WAIT: Final = 60
"""How often it looks during one wait."""


class Pager:
    """Joins the watch to the channels, and keeps the record.

    Args:
        notices: makes the messages.
        folder: where the record is kept.
        scale: multiplies its times (drills).
    """

    def __init__(
        self,
        watch: HeartbeatMonitor,
        channels: Iterable[Channel],
        notices: MessageComposer,
        folder: Path,
        scale: float = 1.0,
    ) -> None:
        self.monitor = watch
        self._channels = {channel.name: channel for channel in channels}
        self.faults = ChannelFaults(self._channels)
        self._composer, self._folder = notices, folder
        self._check_interval = min(5.0, WAIT_S * scale / CHECKS_PER_WAIT)
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._saved: HeartbeatState | None = None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    self._check()
                except Exception as error:  # noqa: BLE001 - the checker has to go on
                    log(f"the checker: {describe_defect(error)}")
                await asyncio.sleep(self._check_interval)
        finally:
            for delivery in self._deliveries.values():
                delivery.cancel()

    def _check(self) -> None:
        self.monitor.check_deadline()
        self.save()
        for name in self._channels:
            delivery = self._deliveries.get(name)
            if self._next(name) and (delivery is None or delivery.done()):
                self._deliveries[name] = asyncio.create_task(self._deliver_all(name), name=name)

    def save(self) -> None:
        """Write down what is new."""
        if self.monitor.current == self._saved:
            return
        try:
            self.monitor.current.write(self._folder)
            self._saved = self.monitor.current
        except OSError as error:  # a full disk must not keep anybody from being paged
            log(f"the record cannot be written: {error.strerror}")

    async def _deliver_all(self, name: str) -> None:
        """Tell one channel everything that it does not know, as it is at that moment."""
        pause = FIRST_RETRY_S
        while found := self._next(name):
            message, delivered = found
            problem = await deliver(self._channels[name], message)
            if self.faults.record(name, problem):
                log(f"{name}: not delivered ({problem})")
            if problem:
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_RETRY_S)
            else:
                pause = FIRST_RETRY_S
                delivered()

    def _next(self, name: str) -> tuple[HeartbeatMessage, Callable[[], None]] | None:
        """A channel's next message, and what to do when it was delivered; None if there is none.

        The state of the heartbeat comes before the state of other channels.
        """
        record = self.monitor.current
        if name in record.to_notify:
            return self._composer.state(record), lambda: self._mark_state_notified(name, record)
        if news := self.faults.next_change(name):
            return self._composer.fault(news), lambda: self.faults.mark_notified(name, news)
        return None

    def _mark_state_notified(self, name: str, record: HeartbeatState) -> None:
        if self.monitor.current.since == record.since:  # else there is newer news to tell
            self.monitor.mark_notified(name)
            self.save()
