"""Channels that fail, and which other channels were notified of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

REPORT_AFTER: Final = 3
"""Failed attempts in a row before a fault is reported; an attempt is repeated within seconds."""


@dataclass(frozen=True, slots=True)
class FaultChange:
    """A change that a channel has to report about another one.

    Attributes:
        source: the channel that fails, or works again.
        problem: why it fails; empty when it works again.
    """

    source: str
    problem: str


class ChannelFaults:
    """Counts failed attempts and which channels reported them; kept in memory only.

    Args:
        channels: the names of the channels to notify.
    """

    def __init__(self, channels: Iterable[str]) -> None:
        self.problems: dict[str, str] = {}
        """Why the last attempt of a channel failed, by channel; channels that work are absent."""
        self._failures: Counter[str] = Counter()
        self._reported: dict[str, set[str]] = {channel: set() for channel in channels}

    def record(self, source: str, problem: str) -> bool:
        """Record the result of an attempt; returns whether the problem is a new one."""
        if not problem:
            self.problems.pop(source, None)
            del self._failures[source]
            return False
        is_new = self.problems.get(source) != problem
        self.problems[source] = problem
        self._failures[source] += 1
        return is_new

    def next_change(self, channel: str) -> FaultChange | None:
        """The next change that a channel has to report; None if there is none."""
        failing = {source for source, count in self._failures.items() if count >= REPORT_AFTER}
        known = self._reported[channel]
        for source in sorted(failing - known - {channel}):
            return FaultChange(source, self.problems[source])
        for source in sorted(known - failing):
            return FaultChange(source, "")
        return None

    def mark_notified(self, channel: str, change: FaultChange) -> None:
        """Record that a channel delivered the message about a change."""
        if change.problem:
            self._reported[channel].add(change.source)
        else:
            self._reported[channel].discard(change.source)
