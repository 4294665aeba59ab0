"""Environment variables that the server and the peers read, for docs/settings.md and the help of commands."""

from __future__ import annotations

from typing import Final

from tallow.app.server.settings import ServerSettings
from tallow.monitoring.variables import Section, Variable, variables_of

_PEERS: Final = ("send", "receive", "demo")

SECTIONS: Final = (
    Section(
        "Server",
        "Times are seconds, sizes bytes. A line of `.env` that cannot be used stops the start.",
        variables_of(ServerSettings),
        ("serve", "up", "reload"),
    ),
    Section(
        "Peers",
        "Read from the environment alone. What `tallow settings` changes is kept in a file of the user. "
        "Peers write logs, and read the settings of the library for that, only if LOG_FILE or LOG_ENDPOINT "
        "is set.",
        (
            Variable(
                "TALLOW_SERVER",
                "an address such as https://tallow.example.org",
                "The server to meet at; by default that of the stack on this machine",
                "`http://127.0.0.1:3000`",
            ),
            Variable(
                "DO_NOT_TRACK",
                "1 or 0",
                "1: report no counts and timings of transfers; `--no-telemetry` does the same",
                "`0`",
            ),
            Variable("LOG_FILE", "see Library", "Peers write logs"),
            Variable("LOG_ENDPOINT", "see Library", "Peers write logs"),
            Variable("TMPDIR", "the path of a folder", "Where temporary files are made", "`/tmp`"),
            Variable(
                "TALLOW_FAULTS", "1 or 0", "1: load the fault switches of drills; for drills alone", "`0`"
            ),
            Variable(
                "TALLOW_PEER_FAULTS",
                "names of fault switches, see `tallow.app.faults.peer`",
                "Faults of this peer; only with TALLOW_FAULTS",
            ),
        ),
        _PEERS,
    ),
    Section(
        "Files of peers",
        "An absolute path; another value is ignored (XDG Base Directory Specification).",
        (
            Variable(
                "XDG_STATE_HOME",
                "the path of a folder",
                "Interrupted transfers are remembered below it",
                "`~/.local/state`",
            ),
            Variable(
                "XDG_CONFIG_HOME",
                "the path of a folder",
                "What `tallow settings` changes is kept below it",
                "`~/.config`",
            ),
        ),
        (*_PEERS, "settings"),
    ),
)
"""What the server and the peers read."""
