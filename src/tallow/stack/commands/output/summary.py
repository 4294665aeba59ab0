"""What `up` and `status` show besides the services: addresses, the heartbeat, and who is notified."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from tallow.stack import routing
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.services.definitions import SERVICES
from tallow.stack.engines.services.links import base_url
from tallow.stack.engines.services.service_state import format_age
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.heartbeat.state import HeartbeatState
from tallow.stack.routing import AlertSettings

SCARCE_BYTES: Final = 1_000_000_000


def address_list(home: StateDir, offset: int) -> Text:
    """Where to look, and the command that shows the passwords. Print it without wrapping: it is copied."""
    lines = [
        (service.name, base_url(service.name, offset) + service.page_path)
        for service in SERVICES
        if service.page_path
    ]
    lines += [("credentials", command_line(home, "credentials")), ("data and logs", str(home.root))]
    text = Text("\n")
    for name, value in lines:
        text.append(f"{name:<14}{value}\n")
    return text.append(" " * 14).append_text(_room(home))


def heartbeat_status(home: StateDir) -> Text:
    """When alerting last said that it lives: loudly where it does not."""
    record = HeartbeatState.read(home.data / "heartbeat")
    if record is None or record.state == "waiting":
        return Text("heartbeat: none yet", "yellow")
    last = "never" if record.last_beat is None else f"{format_age(record.last_beat)} ago"
    if record.state == "missing":
        return Text(f"no heartbeat, alerts reach nobody: {record.reason} Last beat: {last}", "bold red")
    return Text(f"heartbeat: last beat {last}", "green")


def notification_summary(settings: AlertSettings) -> RenderableType:
    """Who is told: loudly where it is nobody."""
    lines = routing.describe_gaps(settings)
    if not lines:
        return Text("alerts reach everybody they should", "green")
    loud = [line for line in lines if "nobody" in line]
    if not loud:
        return Text("\n".join(lines), "yellow")
    rest = [line for line in lines if line not in loud]
    return Panel(
        Group(*(Text(line, "bold red") for line in loud), *(Text(line, "dim") for line in rest)),
        title="alerts",
        title_align="left",
        border_style="red",
        expand=False,
    )


def _room(home: StateDir) -> Text:
    """How much the stack keeps, and how much more the disk takes."""
    kept = 0
    for folder, _, names in os.walk(home.root):
        for name in names:
            with contextlib.suppress(OSError):  # Prometheus removes files as it compacts
                kept += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - thousands of files
    free = shutil.disk_usage(home.root).free
    return Text(
        f"{kept / 1e6:.0f} MB, {free / 1e9:.1f} GB free", "bold red" if free < SCARCE_BYTES else "dim"
    )
