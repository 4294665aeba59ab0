"""The list of alerts: one line each if it fits, and the runbooks of those that fire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from tallow.stack.clients.alertmanager import Alert
from tallow.stack.commands.output.terminal import printable
from tallow.stack.engines.services.service_state import format_age

_COLOURS: Final = {"critical": "red", "warning": "yellow", "info": "blue"}
_LOCATION_LABELS: Final = ("job", "instance", "mountpoint", "metric")
"""The labels that tell where an alert fires."""
_GAP: Final = "  "
_INDENT: Final = 10


def show_alerts(console: Console, alerts: Sequence[Alert], *, has_watchdog: bool) -> None:
    """Print the list. Nothing is cut off: a location that does not fit into the line is shown below it.

    Args:
        console: where to print.
        alerts: in the order in which they are shown.
        has_watchdog: whether Watchdog fires, as it does while alerting works.
    """
    if not has_watchdog:
        console.print(
            "Watchdog does not fire: alerting does not work, and alerts may be missing here. "
            "After a start it takes up to half a minute.",
            style="bold red",
        )
    if not alerts:
        console.print("nothing fires")
        return
    rows = [_cells(alert) for alert in alerts]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    is_wide = sum(widths) + len(_GAP) * 3 <= console.width
    for alert, cells in zip(alerts, rows, strict=True):
        _show(console, alert, cells, widths if is_wide else None)


def _cells(alert: Alert) -> tuple[str, str, str, str]:
    """Severity, name, location and state."""
    state = f"firing for {format_age(alert.starts_at.timestamp())}"
    if alert.state == "silenced":
        state += f", silenced by {', '.join(one[:8] for one in alert.suppressed_by)}"
    elif alert.state == "inhibited":
        state += ", inhibited"
    location = " ".join(alert.labels[label] for label in _LOCATION_LABELS if label in alert.labels)
    severity = alert.labels.get("severity", "")
    return printable(severity), printable(alert.name), printable(location), printable(state)


def _show(console: Console, alert: Alert, cells: tuple[str, ...], widths: list[int] | None) -> None:
    severity, name, location, state = cells
    if widths is None:
        line, below = f"{severity:<{_INDENT - 2}}{_GAP}{name}{_GAP}{state}", [location]
    else:
        line, below = _GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), []
    is_firing = alert.state == "firing"
    style = _COLOURS.get(severity, "") if is_firing else "dim"
    console.print(Text(line.rstrip(), style), soft_wrap=True)
    below.append(printable(alert.annotations.get("summary", "")))
    for text in filter(None, below):
        console.print(Padding.indent(Text(text, "" if is_firing else "dim"), _INDENT))
    if is_firing and "runbook_url" in alert.annotations:
        address = " " * _INDENT + printable(alert.annotations["runbook_url"])
        console.print(Text(address, "dim"), soft_wrap=True)  # a wrapped address cannot be opened
