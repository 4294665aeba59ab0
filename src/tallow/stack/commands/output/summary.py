"""What `up` and `status` show below the services: addresses, the heartbeat, and who is notified."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from tallow.stack import routing
from tallow.stack.commands.output.terminal import printable, printable_text
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.services.definitions import SERVICES
from tallow.stack.engines.services.links import base_url
from tallow.stack.engines.services.service_state import format_age
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.heartbeat.state import HeartbeatState
from tallow.stack.routing import AlertSettings

LOW_SPACE_BYTES: Final = 1_000_000_000
NONE_FURTHER: Final[Mapping[str, str]] = MappingProxyType({})


def address_list(
    home: StateDir,
    port_offset: int,
    further: Mapping[str, str] = NONE_FURTHER,
    folder: str = "data and logs",
) -> Text:
    """The addresses of the services, the command for the credentials, and the folder; not to be wrapped.

    Args:
        home: the stack's folder.
        port_offset: added to every port.
        further: addresses by name.
        folder: what the stack's folder contains.
    """
    lines = [
        (service.name, base_url(service.name, port_offset) + service.page_path)
        for service in SERVICES
        if service.page_path
    ]
    # Listed although Debian builds it without pages: it is where alerts are, and other builds have pages.
    lines += [("alertmanager", f"{base_url('alertmanager', port_offset)}  (tallow alerts)")]
    lines += further.items()
    lines += [("credentials", command_line(home, "credentials")), (folder, str(home.root))]
    text = Text("\n")
    for name, value in lines:
        text.append(f"{name:<14}{printable(value)}\n")
    return text.append(" " * 14).append_text(_disk_usage(home))


def heartbeat_status(home: StateDir) -> Text:
    """When the last heartbeat came; highlighted if it is missing."""
    state = HeartbeatState.read(home.data / "heartbeat")
    if state is None or state.state == "waiting":
        return Text("heartbeat: none yet", "yellow")
    last = "never" if state.last_beat is None else f"{format_age(state.last_beat)} ago"
    if state.state == "missing":
        text = f"no heartbeat, alerts are not delivered: {state.reason} Last beat: {last}"
        return printable_text(text, "bold red")
    return Text(f"heartbeat: last beat {last}", "green")


def notification_summary(settings: AlertSettings) -> RenderableType:
    """Who is notified of alerts; highlighted if a kind of channel notifies nobody."""
    gaps = routing.notification_gaps(settings)
    if not gaps:
        return Text("every alert reaches its receivers", "green")
    if not any(gap.everyone for gap in gaps):
        return printable_text("\n".join(gap.message for gap in gaps), "yellow")
    return Panel(
        Group(*(printable_text(gap.message, "bold red" if gap.everyone else "dim") for gap in gaps)),
        title="alerts",
        title_align="left",
        border_style="red",
        expand=False,
    )


def _disk_usage(home: StateDir) -> Text:
    """The size of the folder, and the free space of its disk."""
    used = 0
    for folder, _, names in os.walk(home.root):
        for name in names:
            with contextlib.suppress(OSError):  # Prometheus removes files meanwhile
                used += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - thousands of files
    free = shutil.disk_usage(home.root).free
    return Text(
        f"{used / 1e6:.0f} MB, {free / 1e9:.1f} GB free", "bold red" if free < LOW_SPACE_BYTES else "dim"
    )
