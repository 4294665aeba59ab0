"""The table of services, which also fits into narrow terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.text import Text

from tallow.stack.commands.output.terminal import printable_text
from tallow.stack.engines.services.definitions import SERVICES, Service, ports
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
_RESTARTS: Final = _TITLES.index("restarts")
_MEMORY: Final = _TITLES.index("memory")
_RIGHT: Final = frozenset({"port", "for", "restarts", "memory"})
_OPTIONAL: Final = (7, 6, 5, 4, 2)
"""The columns that are left out if there is no room, in this order."""
_GAP: Final = "  "
_INDENT: Final = 3


@dataclass(frozen=True, slots=True)
class _Row:
    cells: tuple[str, ...]
    colour: str
    detail: str
    is_problem: bool


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """What the table shows of a service.

    Attributes:
        age: the time since its start; empty if it does not run.
        restarts: after failures.
        memory: the memory that it uses; empty if that is not known.
    """

    name: str
    port: str
    state: ServiceState
    age: str
    restarts: int
    memory: str
    description: str


def native_table(home: StateDir, states: Mapping[str, ServiceState]) -> ServicesTable:
    """The services of a native stack.

    Args:
        home: the stack's folder.
        states: every service's state, by name.
    """
    status, port_of = state_files.read_status(home), ports(home.options().port_offset)
    return ServicesTable(
        [
            _native_row(
                service, port_of[service.name], states[service.name], status.services.get(service.name)
            )
            for service in SERVICES
        ]
    )


class ServicesTable:
    """One line per service, and below it what is wrong or what happened.

    No cell is cut off: columns without room are left out, and the text below a service is wrapped.
    """

    def __init__(self, rows: Sequence[ServiceRow]) -> None:
        self._rows = [_row(row) for row in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown, widths = self._columns(options.max_width)
        yield _line(_TITLES, shown, widths, "dim", "dim")
        for row in self._rows:
            yield _line(row.cells, shown, widths, row.colour, "dim" if row.colour == "dim" else "")
            if row.detail:
                yield Padding.indent(
                    printable_text(row.detail, row.colour if row.is_problem else "dim"), _INDENT
                )

    def _columns(self, room: int) -> tuple[list[int], list[int]]:
        """The columns that fit into ``room`` characters, and the width of every column."""
        rows = [row.cells for row in self._rows]
        widths = [max(map(len, column)) for column in zip(_TITLES, *rows, strict=True)]
        shown = list(range(len(_TITLES)))
        for column in (_RESTARTS, _MEMORY):
            if not any(cells[column] for cells in rows):
                shown.remove(column)
        for column in _OPTIONAL:
            if _total_width(shown, widths) > room and column in shown:
                shown.remove(column)
        return shown, widths


def _total_width(shown: list[int], widths: list[int]) -> int:
    return sum(widths[column] for column in shown) + len(_GAP) * (len(shown) - 1)


def _native_row(service: Service, port: int, state: ServiceState, status: ProcessStatus | None) -> ServiceRow:
    status = status or ProcessStatus()
    age = format_age(status.since) if status.pid else ""
    return ServiceRow(
        service.name, str(port), state, age, status.restarts, _memory(status), service.description
    )


def _row(row: ServiceRow) -> _Row:
    mark, colour = _MARKS[row.state.name]
    restarts = str(row.restarts) if row.restarts else ""
    cells = (mark, row.name, row.port, row.state.name, row.age, restarts, row.memory, row.description)
    return _Row(cells, colour, row.state.detail, is_problem=not row.state.is_healthy)


def _line(cells: tuple[str, ...], shown: list[int], widths: list[int], colour: str, plain: str) -> Text:
    line = Text(no_wrap=True, overflow="ignore")
    for position, column in enumerate(shown):
        is_right = _TITLES[column] in _RIGHT
        padded = cells[column].rjust(widths[column]) if is_right else cells[column].ljust(widths[column])
        style = colour if column in {0, 3} else "dim" if column == 7 else plain
        line.append(_GAP if position else "").append(padded, style)
    line.rstrip()
    return line


def _memory(status: ProcessStatus) -> str:
    process = status.process()
    try:
        used = process.memory_info().rss if process else 0
    except psutil.Error:
        return ""
    return format_memory(used)


def format_memory(used: int) -> str:
    """A number of bytes in MB or GB; empty for none."""
    if used >= 1e9:
        return f"{used / 1e9:.1f} GB"
    return f"{used / 1e6:.0f} MB" if used else ""
