"""Tells every channel what it has not been told yet, again and again until it takes it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from tallow.stack.heartbeat.channels import Channel, UndeliveredError
from tallow.stack.heartbeat.notice import Notice
from tallow.stack.heartbeat.record import Record
from tallow.stack.heartbeat.watch import WAIT_S, Watch

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
LOOKS: Final = 60
"""How often it looks during one wait."""


class Pager:
    """Joins the watch to the channels, and keeps the record.

    Args:
        words: makes the message for a record.
        folder: where the record is kept.
    """

    def __init__(
        self,
        watch: Watch,
        channels: Iterable[Channel],
        words: Callable[[Record], Notice],
        folder: Path,
        scale: float = 1.0,
    ) -> None:
        self.watch = watch
        self.problems: dict[str, str] = {}
        """What keeps a channel from being told, in a few words."""
        self._channels = {channel.name: channel for channel in channels}
        self._words, self._folder = words, folder
        self._look_every = min(5.0, WAIT_S * scale / LOOKS)
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._kept: Record | None = None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self.watch.tick()
                self.keep()
                for name in self.watch.record.untold:
                    if name not in self._telling or self._telling[name].done():
                        self._telling[name] = asyncio.create_task(self._tell(name), name=name)
                await asyncio.sleep(self._look_every)
        finally:
            for task in self._telling.values():
                task.cancel()

    def keep(self) -> None:
        """Write down what is new."""
        if self.watch.record == self._kept:
            return
        try:
            self.watch.record.write(self._folder)
            self._kept = self.watch.record
        except OSError as error:  # a full disk must not keep anybody from being paged
            print(f"the record cannot be written: {error.strerror}", file=sys.stderr, flush=True)

    async def _tell(self, name: str) -> None:
        """Tell one channel the state as it is at that moment, however often it takes."""
        pause = FIRST_PAUSE_S
        while name in self.watch.record.untold:
            record = self.watch.record
            try:
                await self._channels[name].send(self._words(record))
            except UndeliveredError as problem:
                self.problems[name] = str(problem)
                print(f"{name}: not delivered ({problem})", file=sys.stderr, flush=True)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            self.problems.pop(name, None)
            if self.watch.record.since == record.since:  # else there is newer news to tell
                self.watch.told(name)
                self.keep()
