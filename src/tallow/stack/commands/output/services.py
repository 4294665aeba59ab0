"""The services as a table that stays complete however narrow the terminal is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psutil
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.text import Text

from tallow.stack.engines.services.definitions import SERVICES, ports
from tallow.stack.engines.services.service_state import ServiceState, StateName, format_age
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import ProcessStatus

_MARKS: Final[Mapping[StateName, tuple[str, str]]] = {
    "healthy": ("●", "green"),
    "starting": ("○", "yellow"),
    "failing": ("●", "red"),
    "ended": ("●", "red"),
    "stopped": ("○", "dim"),
}
_TITLES: Final = ("", "service", "port", "state", "for", "restarts", "memory", "")
_RIGHT: Final = frozenset({"port", "for", "restarts", "memory"})
_OPTIONAL: Final = (7, 6, 5, 4, 2)
"""The columns that are left out where there is no room, in this order."""
_GAP: Final = "  "
_INDENT: Final = 3


@dataclass(frozen=True, slots=True)
class _Row:
    cells: tuple[str, ...]
    colour: str
    detail: str
    loud: bool


class ServicesTable:
    """A line for each service, and one below it where there is something to say about it.

    No cell is cut: columns without room are left out, and the text below a service is wrapped.

    Args:
        home: the stack's folder.
        states: every service's state, by name.
    """

    def __init__(self, home: StateDir, states: Mapping[str, ServiceState]) -> None:
        report, known = state_files.read_status(home), ports(home.options().port_offset)
        self._rows = [
            _row(service.name, known[service.name], states[service.name], running, service.description)
            for service in SERVICES
            for running in [report.services.get(service.name, ProcessStatus())]
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown, widths = self._columns(options.max_width)
        yield _line(_TITLES, shown, widths, "dim", "dim")
        for row in self._rows:
            yield _line(row.cells, shown, widths, row.colour, "dim" if row.colour == "dim" else "")
            if row.detail:
                yield Padding.indent(Text(row.detail, row.colour if row.loud else "dim"), _INDENT)

    def _columns(self, room: int) -> tuple[list[int], list[int]]:
        """The columns that fit into ``room``, and the width of every column."""
        rows = [row.cells for row in self._rows]
        widths = [max(len(cells[column]) for cells in (_TITLES, *rows)) for column in range(len(_TITLES))]
        has_restarts = any(cells[5] for cells in rows)
        shown = [column for column in range(len(_TITLES)) if column != 5 or has_restarts]
        for column in _OPTIONAL:
            if sum(widths[each] for each in shown) + len(_GAP) * (len(shown) - 1) <= room:
                break
            if column in shown:
                shown.remove(column)
        return shown, widths


def _row(name: str, port: int, state: ServiceState, running: ProcessStatus, what: str) -> _Row:
    mark, colour = _MARKS[state.name]
    cells = (
        mark,
        name,
        str(port),
        state.name,
        format_age(running.since) if running.pid else "",
        str(running.restarts) if running.restarts else "",
        _memory(running),
        what,
    )
    return _Row(cells, colour, state.detail, loud=not state.is_healthy)


def _line(cells: tuple[str, ...], shown: list[int], widths: list[int], colour: str, plain: str) -> Text:
    line = Text(no_wrap=True, overflow="ignore")
    for place, column in enumerate(shown):
        is_right = _TITLES[column] in _RIGHT
        padded = cells[column].rjust(widths[column]) if is_right else cells[column].ljust(widths[column])
        style = colour if column in {0, 3} else "dim" if column == 7 else plain
        line.append(_GAP if place else "").append(padded, style)
    line.rstrip()
    return line


def _memory(running: ProcessStatus) -> str:
    process = running.process()
    try:
        used = process.memory_info().rss if process else 0
    except psutil.Error:
        return ""
    if used >= 1e9:
        return f"{used / 1e9:.1f} GB"
    return f"{used / 1e6:.0f} MB" if used else ""
