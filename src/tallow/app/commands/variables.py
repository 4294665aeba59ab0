"""Environment variables of the server and the peers, for docs/settings.md and the help of commands."""

from __future__ import annotations

from typing import Final

from tallow.app.server.settings import ServerSettings
from tallow.monitoring.variables import Section, Variable, variables_of

_PEERS: Final = ("send", "receive", "demo")

SECTIONS: Final = (
    Section(
        "Server",
        "Times are in seconds, sizes in bytes. An invalid line in `.env` prevents the start.",
        variables_of(ServerSettings),
        ("serve", "up", "reload"),
    ),
    Section(
        "Peers",
        "Read only from the environment. `tallow settings` stores its values in a file of the user. "
        "Peers write logs, and read the settings of the library for that, only if LOG_FILE or LOG_ENDPOINT "
        "is set.",
        (
            Variable(
                "TALLOW_SERVER",
                "an address such as https://tallow.example.org",
                "Server to use; by default that of the stack on this machine",
                "`http://127.0.0.1:3000`",
            ),
            Variable(
                "DO_NOT_TRACK",
                "1 or 0",
                "1: send no telemetry reports; `--no-telemetry` does the same",
                "`0`",
            ),
            Variable("LOG_FILE", "see Library", "Peers write logs if it is set"),
            Variable("LOG_ENDPOINT", "see Library", "Peers write logs if it is set"),
            Variable("TMPDIR", "the path of a folder", "Folder of temporary files", "`/tmp`"),
            Variable("TALLOW_FAULTS", "1 or 0", "1: load the fault switches; only for drills", "`0`"),
            Variable(
                "TALLOW_PEER_FAULTS",
                "names of fault switches, see `tallow.app.faults.peer`",
                "Faults of this peer; needs TALLOW_FAULTS",
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
                "The state of interrupted transfers is stored below it",
                "`~/.local/state`",
            ),
            Variable(
                "XDG_CONFIG_HOME",
                "the path of a folder",
                "The values of `tallow settings` are stored below it",
                "`~/.config`",
            ),
        ),
        (*_PEERS, "settings"),
    ),
)
"""Sections of docs/settings.md."""
