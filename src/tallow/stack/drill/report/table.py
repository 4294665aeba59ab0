"""The table of drills on a terminal, the summary at the end, and one line per drill for other outputs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tallow.stack.drill.run.result import DrillResult, DrillState

_MARKS: Final[Mapping[DrillState, tuple[str, str]]] = {
    "waiting": ("○", "dim"),
    "starting": ("○", "dim"),
    "quiet": ("○", "dim"),
    "fault on": ("◐", "yellow"),
    "pending": ("◐", "yellow"),
    "firing": ("●", "red"),
    "notified": ("●", "red"),
    "cleared": ("◑", "cyan"),
    "passed": ("✔", "green"),
    "failed": ("✘", "bold red"),
}
_DESCRIPTIONS: Final[Mapping[DrillState, str]] = {
    "waiting": "waiting",
    "starting": "its server starts",
    "quiet": "quiet",
    "fault on": "fault injected",
    "pending": "pending",
    "firing": "firing",
    "notified": "receivers notified",
    "cleared": "fault removed, resolving",
    "passed": "passed",
    "failed": "failed",
}
_TITLES: Final = ("", "alert", "", "pending", "firing", "page", "minimum", "resolved", "receivers")
_WIDTHS: Final = {"alert": 25, "": 1}


def drills_table(results: Iterable[DrillResult]) -> RenderableType:
    """A row per drill. Times are seconds after the fault; ``resolved`` counts from its removal."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in _TITLES:
        right = title in {"pending", "firing", "page", "minimum", "resolved"}
        wide = title == "receivers"
        table.add_column(
            title,
            justify="right" if right else "left",
            no_wrap=True,
            min_width=None if wide else max(len(title), _WIDTHS.get(title, 1)),
            overflow="ellipsis",
        )
    for result in results:
        sign, colour = _MARKS[result.state]
        times = (
            result.since_fault(result.pending_at),
            result.since_fault(result.firing_at),
            result.since_fault(result.notified_at),
        )
        table.add_row(
            Text(sign, colour),
            Text(result.alert, "bold" if not result.is_finished else ""),
            Text(_progress(result), colour),
            *(_seconds(value) for value in times),
            Text(f"{result.min_latency:.1f}", "dim"),
            _seconds(result.resolve_latency),
            Text(", ".join(result.destinations), "dim"),
        )
    return table


def summary(results: Iterable[DrillResult], seconds: float) -> RenderableType:
    """How many drills passed, and the problems of those that failed."""
    finished = list(results)
    failed = [result for result in finished if result.problems]
    lines: list[RenderableType] = [Text("")]
    for result in failed:
        lines.append(Text.assemble((f"{result.alert}: ", "bold red"), result.fault))
        lines += [Text(f"  {problem}", "red") for problem in result.problems]
    noun = "drill" if len(finished) == 1 else "drills"
    took = f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    if failed:
        lines.append(Text(f"{len(failed)} of {len(finished)} {noun} failed, in {took}", "bold red"))
    else:
        lines.append(Text(f"{len(finished)} {noun} passed, in {took}", "bold green"))
    lines.append(
        Text(
            "Times are seconds after the fault (resolved: after its removal). The minimum is the sum of "
            "scrape interval, for and group wait, scaled; the rest is the fault and the pipeline.",
            "dim",
        )
    )
    return Group(*lines)


def result_line(result: DrillResult) -> str:
    """One line about a finished drill."""
    if result.problems:
        return f"failed  {result.alert}: {'; '.join(result.problems)}"
    page, resolved = result.since_fault(result.notified_at) or 0.0, result.resolve_latency or 0.0
    times = f"page after {page:.1f} s (minimum {result.min_latency:.1f}), resolved {resolved:.1f} s"
    return f"passed  {result.alert}: {times}"


def _progress(result: DrillResult) -> str:
    description = _DESCRIPTIONS[result.state]
    if result.is_finished or result.started_at is None:
        return description
    since = result.cleared_at if result.state == "cleared" and result.cleared_at else result.started_at
    return f"{description} ({time.time() - since:.0f} s)"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
