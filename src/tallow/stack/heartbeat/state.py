"""What the checker knows, kept on disk: a restart neither forgets a page nor sends a false one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, Self

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.stack.engines.state.state_dir import read_json

State = Literal["waiting", "beating", "missing"]
"""Before the first beat; as it should be; paged."""

FILE: Final = "heartbeat.json"


@dataclass(frozen=True, slots=True)
class HeartbeatState:
    """Times are seconds since the epoch.

    Attributes:
        since: when the state began.
        last_beat: when Watchdog was last heard of.
        reason: why it counts as missing, for people.
        untold: channels that have yet to be told of the state.
    """

    state: State = "waiting"
    since: float = 0.0
    last_beat: float | None = None
    reason: str = ""
    to_notify: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """What was written last; None where nothing was, or nothing that can be read."""
        found = read_json(folder / FILE)
        try:
            return cls(**{**found, "to_notify": tuple(found["to_notify"])})
        except (TypeError, KeyError):
            return None

    def write(self, folder: Path) -> None:
        """Keep it."""
        write_private(folder / FILE, json.dumps(asdict(self)) + "\n")
