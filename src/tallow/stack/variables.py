"""The environment variables that the stack reads, for docs/settings.md and the help of its commands."""

from __future__ import annotations

from typing import Final

from tallow.monitoring.variables import Section, Variable, variables_of
from tallow.stack.remote_storage import RemoteStorageSettings
from tallow.stack.routing import AlertSettings

_STACK_COMMANDS: Final = (
    *("up", "down", "status", "logs", "open", "reload", "inbox", "alerts", "silence", "query"),
    *("credentials", "send", "receive", "demo"),
)
_PATH: Final = "the path of a folder"
_REMOTE_STORAGE: Final = """\
Prometheus can send its samples to another system and read older data from it, to combine several machines
or to keep data for years. User and password are sent as basic authentication. The alert RemoteWriteFailing
fires when samples do not arrive. For Mimir:

```sh
REMOTE_WRITE_URL=https://mimir.example.org/api/v1/push
REMOTE_READ_URL=https://mimir.example.org/prometheus/api/v1/read
REMOTE_USER=tallow
REMOTE_PASSWORD_FILE=secrets/remote
REMOTE_MACHINE=web-1
```

Thanos Receive takes samples at `/api/v1/receive`, VictoriaMetrics at `/api/v1/write`; VictoriaMetrics has no
remote read. Apply the settings with `tallow reload`."""

SECTIONS: Final = (
    Section(
        "Alerts",
        "The recipients of alerts. A channel without its secret is left out; `tallow status` reports it.",
        variables_of(AlertSettings),
        ("up", "reload"),
    ),
    Section(
        "Remote storage",
        _REMOTE_STORAGE,
        variables_of(RemoteStorageSettings),
        ("up", "reload"),
    ),
    Section(
        "Stack",
        "Read from the environment only.",
        (
            Variable("TALLOW_HOME", _PATH, "The state folder; `--home` comes first", "see XDG_STATE_HOME"),
            Variable(
                "XDG_STATE_HOME",
                "an absolute path",
                "The state folder is `tallow` below it",
                "`~/.local/state`",
            ),
        ),
        _STACK_COMMANDS,
    ),
    Section(
        "Programs of the stack",
        "Read from the environment only.",
        (
            Variable("PATH", "folders, separated by colons", "Where programs are searched"),
            Variable(
                "TALLOW_PROGRAMS",
                "folders and programs, separated by colons",
                "Programs found there are used, whatever their version; otherwise the newest program is",
            ),
            Variable("TALLOW_TOOLS", _PATH, "The folder of programs unpacked from Debian's packages"),
            Variable(
                "XDG_CACHE_HOME",
                _PATH,
                "Programs are stored below it if the checkout is not writable",
                "`~/.cache`",
            ),
        ),
        ("up", "reload", "drill"),
    ),
    Section(
        "Containers",
        "Read from the environment only, with the Docker engine. The stack keeps them for later commands.",
        (
            Variable("TALLOW_BIND", "an address of this host", "Where ports are published", "`127.0.0.1`"),
            Variable("TALLOW_IMAGE", "the name of an image", "Is run instead of one that is built here"),
            Variable("TALLOW_WEBRTC", "`0` or `1`", "Whether the image that is built has WebRTC", "`0`"),
        ),
        ("up", "reload"),
    ),
    Section(
        "Terminal",
        "Read from the environment only.",
        (Variable("COLUMNS", "a whole number", "Width of tables; by default that of the terminal"),),
        ("up", "status", "alerts"),
    ),
    Section(
        "Browser",
        "Read from the environment only.",
        (
            Variable("BROWSER", "a command", "The browser that opens a page"),
            Variable("DISPLAY", "set by X11", "Without it and WAYLAND_DISPLAY, commands print the address"),
            Variable(
                "WAYLAND_DISPLAY", "set by Wayland", "Without it and DISPLAY, commands print the address"
            ),
        ),
        ("open",),
    ),
)
"""The sections of docs/settings.md on the stack."""
