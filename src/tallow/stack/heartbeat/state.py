"""The checker's state on disk, so that a restart neither loses a notification nor sends a false one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, Self

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.stack.engines.state.state_dir import read_json

State = Literal["waiting", "beating", "missing"]
"""Before the first beat; beats arrive; beats are missing."""

FILE: Final = "heartbeat.json"


@dataclass(frozen=True, slots=True)
class HeartbeatState:
    """The state of the heartbeat. Times are seconds since the Unix epoch.

    Attributes:
        since: when the state began.
        last_beat: when Watchdog last arrived.
        reason: why the heartbeat is missing, as text.
        to_notify: channels that have not delivered this state yet.
    """

    state: State = "waiting"
    since: float = 0.0
    last_beat: float | None = None
    reason: str = ""
    to_notify: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The stored state; None if there is none or it cannot be read."""
        found = read_json(folder / FILE)
        try:
            # Earlier releases wrote the key "untold".
            to_notify = found["to_notify"] if "to_notify" in found else found["untold"]
            known = {name: found[name] for name in ("state", "since", "last_beat", "reason")}
            return cls(**known, to_notify=tuple(to_notify))
        except (TypeError, KeyError):
            return None

    def write(self, folder: Path) -> None:
        """Store the state in ``folder``."""
        write_private(folder / FILE, json.dumps(asdict(self)) + "\n")
