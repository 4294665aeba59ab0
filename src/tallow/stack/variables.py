"""Environment variables that the stack reads, for docs/settings.md and the help of its commands."""

from __future__ import annotations

from typing import Final

from tallow.monitoring.settings.variables import Section, Variable, variables_of
from tallow.stack.remote_storage import RemoteStorageSettings
from tallow.stack.routing import AlertSettings

_OF_A_STACK: Final = (
    *("up", "down", "status", "logs", "open", "reload", "inbox", "alerts", "silence", "query"),
    *("credentials", "send", "receive", "demo"),
)
_PATH: Final = "the path of a folder"
_REMOTE_STORAGE: Final = """\
Prometheus can send its samples to another system as well, and read from it what is older than its own data:
for more than one machine, or for years. User and password are sent as basic authentication. The alert
RemoteWriteFailing fires when samples do not arrive. For Mimir:

```sh
REMOTE_WRITE_URL=https://mimir.example.org/api/v1/push
REMOTE_READ_URL=https://mimir.example.org/prometheus/api/v1/read
REMOTE_USER=tallow
REMOTE_PASSWORD_FILE=secrets/remote
REMOTE_MACHINE=web-1
```

Thanos Receive takes samples at `/api/v1/receive`, VictoriaMetrics at `/api/v1/write`; VictoriaMetrics has no
remote read. Then `tallow reload`."""

SECTIONS: Final = (
    Section(
        "Alerts",
        "Whom alerts reach. A channel whose secret is not set is left out, and `tallow status` says so.",
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
        "Read from the environment alone.",
        (
            Variable("TALLOW_HOME", _PATH, "The state folder; `--home` comes first", "see XDG_STATE_HOME"),
            Variable(
                "XDG_STATE_HOME",
                "an absolute path",
                "The state folder is `tallow` below it",
                "`~/.local/state`",
            ),
        ),
        _OF_A_STACK,
    ),
    Section(
        "Programs of the stack",
        "Read from the environment alone.",
        (
            Variable("PATH", "folders, separated by colons", "Where programs are looked for"),
            Variable(
                "TALLOW_PROGRAMS",
                "folders and programs, separated by colons",
                "What is found there is used, whatever its version; otherwise the newest program is",
            ),
            Variable("TALLOW_TOOLS", _PATH, "Programs unpacked from Debian's packages are kept there"),
            Variable(
                "XDG_CACHE_HOME",
                _PATH,
                "Programs are kept below it where the checkout cannot be written to",
                "`~/.cache`",
            ),
        ),
        ("up", "reload", "drill"),
    ),
    Section(
        "Terminal",
        "Read from the environment alone.",
        (Variable("COLUMNS", "a whole number", "Width of tables; by default that of the terminal"),),
        ("up", "status", "alerts"),
    ),
    Section(
        "Browser",
        "Read from the environment alone.",
        (
            Variable("BROWSER", "a command", "The browser that opens a page"),
            Variable("DISPLAY", "set by X11", "Without it and WAYLAND_DISPLAY the address is printed"),
            Variable("WAYLAND_DISPLAY", "set by Wayland", "Without it and DISPLAY the address is printed"),
        ),
        ("open",),
    ),
    Section(
        "Grafana",
        "Read by Grafana from its environment, when it takes the provisioned data sources.",
        (
            Variable("TALLOW_PROMETHEUS_URL", "an address", "Prometheus"),
            Variable("TALLOW_ALERTMANAGER_URL", "an address", "Alertmanager"),
            Variable("TALLOW_LOKI_URL", "an address", "Loki"),
            Variable("TALLOW_MONITORING_USER", "a name", "The user of Prometheus and Alertmanager"),
        ),
    ),
)
"""What the stack reads."""
