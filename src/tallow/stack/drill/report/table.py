"""What a person sees of drills: a line each while they run, and the latencies at the end."""

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
    "told": ("●", "red"),
    "healed": ("◑", "cyan"),
    "passed": ("✔", "green"),
    "failed": ("✘", "bold red"),
}
_WORDS: Final[Mapping[DrillState, str]] = {
    "waiting": "waits for its turn",
    "starting": "its server starts",
    "quiet": "quiet, as it must be",
    "fault on": "fault is on",
    "pending": "pending",
    "firing": "firing",
    "told": "people were told",
    "healed": "healed, resolving",
    "passed": "passed",
    "failed": "failed",
}
_TITLES: Final = ("", "alert", "", "pending", "firing", "page", "minimum", "resolved", "told")
_WIDTHS: Final = {"alert": 25, "": 1}


def drills_table(results: Iterable[DrillResult]) -> RenderableType:
    """A line for each drill; seconds after the fault, and after the healing for the last."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in _TITLES:
        right = title in {"pending", "firing", "page", "minimum", "resolved"}
        wide = title == "told"
        table.add_column(
            title,
            justify="right" if right else "left",
            no_wrap=True,
            min_width=None if wide else max(len(title), _WIDTHS.get(title, 1)),
            overflow="ellipsis",
        )
    for result in results:
        sign, colour = _MARKS[result.state]
        known = (
            result.since_fault(result.pending_at),
            result.since_fault(result.firing_at),
            result.since_fault(result.notified_at),
        )
        table.add_row(
            Text(sign, colour),
            Text(result.alert, "bold" if not result.is_finished else ""),
            Text(_progress(result), colour),
            *(_seconds(value) for value in known),
            Text(f"{result.min_latency:.1f}", "dim"),
            _seconds(result.resolve_latency),
            Text(", ".join(result.destinations), "dim"),
        )
    return table


def summary(results: Iterable[DrillResult], seconds: float) -> RenderableType:
    """What it comes to, and what was wrong where."""
    found = list(results)
    failed = [result for result in found if result.problems]
    lines: list[RenderableType] = [Text("")]
    for result in failed:
        lines.append(Text.assemble((f"{result.alert}: ", "bold red"), result.fault))
        lines += [Text(f"  {problem}", "red") for problem in result.problems]
    word = "drill" if len(found) == 1 else "drills"
    took = f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    if failed:
        lines.append(Text(f"{len(failed)} of {len(found)} {word} failed, in {took}", "bold red"))
    else:
        lines.append(Text(f"{len(found)} {word} passed, in {took}", "bold green"))
    lines.append(
        Text(
            "Seconds after the fault (resolved: after the healing). The minimum is scrape interval, for and "
            "group wait, scaled: what lies above it is the fault's own time and the pipeline's.",
            "dim",
        )
    )
    return Group(*lines)


def result_line(result: DrillResult) -> str:
    """One finished drill, for where there is no terminal."""
    if result.problems:
        return f"failed  {result.alert}: {'; '.join(result.problems)}"
    page, healing = result.since_fault(result.notified_at) or 0.0, result.resolve_latency or 0.0
    times = f"page after {page:.1f} s (minimum {result.min_latency:.1f}), resolved {healing:.1f} s"
    return f"passed  {result.alert}: {times}"


def _progress(result: DrillResult) -> str:
    word = _WORDS[result.state]
    if result.is_finished or result.started_at is None:
        return word
    since = result.cleared_at if result.state == "healed" and result.cleared_at else result.started_at
    return f"{word} ({time.time() - since:.0f} s)"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
