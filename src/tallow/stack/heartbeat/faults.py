"""Channels that fail, and which other channels know of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

REPORT_AFTER: Final = 3
"""Failed attempts in a row. One alone is no news: it is repeated within seconds."""


@dataclass(frozen=True, slots=True)
class FaultChange:
    """What a channel has to be told about another one.

    Attributes:
        source: the channel that fails, or works again.
        problem: why it fails; empty when it works again.
    """

    source: str
    problem: str


class ChannelFaults:
    """Counts attempts, and tells what is news to whom. A restart of the checker forgets all of it.

    Args:
        channels: those that are told.
    """

    def __init__(self, channels: Iterable[str]) -> None:
        self.problems: dict[str, str] = {}
        """Why the last attempt of a channel failed; without those that succeeded."""
        self._failures: Counter[str] = Counter()
        self._reported: dict[str, set[str]] = {channel: set() for channel in channels}

    def record(self, source: str, problem: str) -> bool:
        """Take the result of an attempt into account; whether the problem is a new one."""
        if not problem:
            self.problems.pop(source, None)
            del self._failures[source]
            return False
        is_new = self.problems.get(source) != problem
        self.problems[source] = problem
        self._failures[source] += 1
        return is_new

    def next_change(self, channel: str) -> FaultChange | None:
        """The next thing that a channel has to be told, None if it knows everything."""
        failing = {source for source, count in self._failures.items() if count >= REPORT_AFTER}
        known = self._reported[channel]
        for source in sorted(failing - known - {channel}):
            return FaultChange(source, self.problems[source])
        for source in sorted(known - failing):
            return FaultChange(source, "")
        return None

    def mark_notified(self, channel: str, news: FaultChange) -> None:
        """A channel took the message about it."""
        if news.problem:
            self._reported[channel].add(news.source)
        else:
            self._reported[channel].discard(news.source)
