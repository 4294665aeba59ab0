"""Delivers the state to every channel and repeats failed deliveries."""

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
"""State checks within :data:`WAIT_S`."""


class Pager:
    """Connects the monitor to the channels and stores the state.

    Args:
        composer: composes the messages.
        folder: the folder of the state file.
        scale: multiplies the check interval (drills).
    """

    def __init__(
        self,
        monitor: HeartbeatMonitor,
        channels: Iterable[Channel],
        composer: MessageComposer,
        folder: Path,
        scale: float = 1.0,
    ) -> None:
        self.monitor = monitor
        self._channels = {channel.name: channel for channel in channels}
        self.faults = ChannelFaults(self._channels)
        self._composer, self._folder = composer, folder
        self._check_interval = min(5.0, WAIT_S * scale / CHECKS_PER_WAIT)
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._saved: HeartbeatState | None = None

    async def run(self) -> None:
        """Run until cancelled."""
        try:
            while True:
                try:
                    self._check()
                except Exception as error:  # noqa: BLE001 - the checker must keep running
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
        """Write the state if it has changed."""
        if self.monitor.current == self._saved:
            return
        try:
            self.monitor.current.write(self._folder)
            self._saved = self.monitor.current
        except OSError as error:  # a full disk must not prevent notifications
            log(f"the state cannot be written: {error.strerror}")

    async def _deliver_all(self, name: str) -> None:
        """Deliver every pending message of a channel, each with the state at that moment."""
        pause = FIRST_RETRY_S
        while pending := self._next(name):
            message, mark_delivered = pending
            problem = await deliver(self._channels[name], message)
            if self.faults.record(name, problem):
                log(f"{name}: not delivered ({problem})")
            if problem:
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_RETRY_S)
            else:
                pause = FIRST_RETRY_S
                mark_delivered()

    def _next(self, name: str) -> tuple[HeartbeatMessage, Callable[[], None]] | None:
        """A channel's next message, and a callback for its delivery; None if there is none.

        The state of the heartbeat comes before the state of other channels.
        """
        state = self.monitor.current
        if name in state.to_notify:
            return self._composer.state(state), lambda: self._mark_state_notified(name, state)
        if change := self.faults.next_change(name):
            return self._composer.fault(change), lambda: self.faults.mark_notified(name, change)
        return None

    def _mark_state_notified(self, name: str, state: HeartbeatState) -> None:
        if self.monitor.current.since == state.since:  # otherwise a newer state is pending
            self.monitor.mark_notified(name)
            self.save()
