"""What `up` and `status` show: the services, where they are, and who is told when something breaks."""

from __future__ import annotations

import contextlib
import shutil
import time
from typing import Final

import psutil
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tallow.stack import routing
from tallow.stack.commands.hints import command_line
from tallow.stack.engines import plan
from tallow.stack.engines.health import Health
from tallow.stack.engines.home import Home
from tallow.stack.engines.plan import Running
from tallow.stack.engines.services import SERVICES, ports
from tallow.stack.heartbeat.record import Record
from tallow.stack.routing import AlertSettings

SCARCE_BYTES: Final = 1_000_000_000
_MARKS: Final = {
    "healthy": ("●", "green"),
    "sick": ("●", "red"),
    "coming": ("○", "yellow"),
    "held": ("○", "dim"),
}


def services_table(home: Home, health: dict[str, Health]) -> Table:
    """A line for each service."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("", "service", "port", "state", "for", "restarts", "memory", ""):
        right = title in {"port", "for", "restarts", "memory"}
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    report, known = plan.read_report(home), ports(home.choices().port_offset)
    for service in SERVICES:
        running = report.services.get(service.name, Running())
        mark, words = _state(running, health[service.name])
        sign, colour = _MARKS[mark]
        table.add_row(
            Text(sign, colour),
            service.name,
            str(known[service.name]),
            Text(words, colour),
            _ago(running.since) if running.pid else "",
            str(running.restarts) if running.restarts else "",
            _memory(running),
            Text(service.what, "dim"),
        )
    return table


def addresses(home: Home, offset: int) -> Text:
    """Where to look, and the command that shows the passwords. Print it without wrapping: it is copied."""
    known = ports(offset)
    lines = [
        (service.name, f"http://localhost:{known[service.name]}{service.page}")
        for service in SERVICES
        if service.page
    ]
    lines += [("credentials", command_line(home, "credentials")), ("data and logs", str(home.root))]
    text = Text("\n")
    for name, value in lines:
        text.append(f"{name:<14}{value}\n")
    return text.append(" " * 14).append_text(_room(home))


def heartbeat(home: Home) -> Text:
    """When alerting last said that it lives: loudly where it does not."""
    record = Record.read(home.data / "heartbeat")
    if record is None or record.state == "waiting":
        return Text("heartbeat: none yet", "yellow")
    last = "never" if record.last_beat is None else f"{_ago(record.last_beat)} ago"
    if record.state == "missing":
        return Text(f"no heartbeat, alerts reach nobody: {record.reason} Last beat: {last}", "bold red")
    return Text(f"heartbeat: last beat {last}", "green")


def paging(settings: AlertSettings) -> RenderableType:
    """Who is told: loudly where it is nobody."""
    lines = routing.describe(settings)
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


def _room(home: Home) -> Text:
    """How much the stack keeps, and how much more the disk takes."""
    kept = 0
    for path in home.root.rglob("*"):
        with contextlib.suppress(OSError):  # Prometheus removes files as it compacts
            kept += path.lstat().st_size
    free = shutil.disk_usage(home.root).free
    return Text(
        f"{kept / 1e6:.0f} MB, {free / 1e9:.1f} GB free", "bold red" if free < SCARCE_BYTES else "dim"
    )


def _state(running: Running, health: Health) -> tuple[str, str]:
    if health.healthy:
        return "healthy", "healthy"
    if running.state == "stopped":
        return "held", "stopped"
    if running.state == "waiting":
        return "sick", f"{running.last_exit.reason if running.last_exit else 'ended'}; starts again soon"
    if running.state == "running" and running.process() is None:
        return "sick", "ended"
    return "coming", health.why or "starting"


def _ago(since: float) -> str:
    seconds = int(max(0, time.time() - since))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _memory(running: Running) -> str:
    process = running.process()
    try:
        return f"{process.memory_info().rss / 1e6:.0f} MB" if process else ""
    except psutil.Error:
        return ""
