"""The measured tables of ``docs/drills.md``, written by the test that runs every drill."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tallow.stack.drill.run.result import DrillResult
from tallow.stack.engines.programs.programs import CHECKOUT

PATH: Final = CHECKOUT / "docs" / "drills.md"


def latency_table(results: Iterable[DrillResult]) -> str:
    """A Markdown table with one row per drill; times are in seconds."""
    rows = [
        "| alert | scale | pending | firing | page | minimum | resolved | receivers |",
        "|---|---|--:|--:|--:|--:|--:|---|",
    ]
    for result in results:
        times = (
            result.since_fault(result.pending_at),
            result.since_fault(result.firing_at),
            result.since_fault(result.notified_at),
            result.min_latency,
            result.resolve_latency,
        )
        cells = " | ".join("" if value is None else f"{value:.1f}" for value in times)
        rows.append(
            f"| {result.alert} | 1/{1 / result.scale:.0f} | {cells} | {', '.join(result.destinations)} |"
        )
    return "\n".join(rows)


def write_section(part: str, text: str, path: Path = PATH) -> None:
    """Replace the text between ``<!-- part -->`` and ``<!-- /part -->`` of a page.

    Raises:
        ValueError: the page has no such marks.
    """
    page = path.read_text(encoding="utf-8")
    begin, end = (f"<!-- {part} -->", f"<!-- /{part} -->")
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path.name} has no place for {part}")
    path.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")
