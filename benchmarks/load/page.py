"""Writes docs/capacity.md: tables and curves from the stored figures, between the page's markers."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.load.curves import Curve, curves_svg
from benchmarks.paired_measurement import figure

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "capacity.json"
PAGE = ROOT / "docs" / "capacity.md"
IMAGES = ROOT / "docs" / "images"
NAMES = {
    "before": "before, 1 worker",
    "before2": "before, 2 workers",
    "w1": "1 worker",
    "w2": "2 workers",
    "w4": "4 workers",
    "instances": "2 instances",
    "wormhole": "magic-wormhole",
}
COLORS = dict(
    zip(NAMES, ("#888888", "#bbbbbb", "#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#d62728"), strict=True)
)
Stored = Mapping[str, Any]
"""A result as JSON: ``work``, ``system`` and ``figures``."""


def stored() -> list[Stored]:
    """The figures of the last runs."""
    return list(json.loads(RESULTS.read_text())) if RESULTS.exists() else []


def store(results: Sequence[Stored]) -> list[Stored]:
    """Replace the stored figures of the measured works and systems; all that are stored then."""
    measured = {(each["work"], each["system"]) for each in results}
    kept = [each for each in stored() if (each["work"], each["system"]) not in measured]
    everything = sorted((*kept, *results), key=lambda each: (each["work"], list(NAMES).index(each["system"])))
    RESULTS.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(_rounded(each)) for each in everything)
    RESULTS.write_text(f"[\n{lines}\n]\n")
    return everything


def _rounded(result: Stored) -> Stored:
    """Four digits of what was measured; what was chosen is whole and stays."""
    figures = result["figures"].items()
    return {
        **result,
        "figures": {name: value if value == int(value) else float(f"{value:.4g}") for name, value in figures},
    }


def tables(results: Sequence[Stored]) -> str:
    """All figures as Markdown, one table for each kind of work."""
    works = dict.fromkeys(each["work"] for each in results)
    return "\n\n".join(table([each for each in results if each["work"] == work]) for work in works)


def table(results: Sequence[Stored]) -> str:
    """The figures of one kind of work as a Markdown table."""
    columns = list(dict.fromkeys(name for each in results for name in each["figures"]))
    lines = [
        "| system | " + " | ".join(name.replace("_", " ") for name in columns) + " |",
        "|---|" + "--:|" * len(columns),
    ]
    for each in results:
        found = (each["figures"].get(name) for name in columns)
        cells = " | ".join("" if value is None else figure(value) for value in found)
        lines.append(f"| {NAMES[each['system']]} | {cells} |")
    return "\n".join(lines)


def write(results: Sequence[Stored]) -> None:
    """Write tables and curves into the page."""
    text = PAGE.read_text()
    for work in dict.fromkeys(each["work"] for each in results):
        found = [each for each in results if each["work"] == work]
        for name, svg in _curves(work, found).items():
            (IMAGES / f"capacity-{name}.svg").write_text(svg)
        begin, end = f"<!-- {work} -->\n", f"<!-- end of {work} -->"
        head, marker, rest = text.partition(begin)
        if not marker:
            sys.exit(f"benchmarks: {PAGE.name} has no markers for {work}")
        text = f"{head}{begin}{table(found)}\n{end}{rest.partition(end)[2]}"
    PAGE.write_text(text)


def _curves(work: str, results: Sequence[Stored]) -> dict[str, str]:
    """The plots of one kind of work, by the name of the file."""

    def curve(x: str, y: str, **fixed: float) -> list[Curve]:
        found: dict[str, list[tuple[float, float]]] = {}
        for each in results:
            figures = each["figures"]
            if (
                x in figures
                and y in figures
                and all(figures.get(key) == value for key, value in fixed.items())
            ):
                found.setdefault(each["system"], []).append((figures[x], figures[y]))
        return [Curve(NAMES[key], sorted(points), COLORS[key]) for key, points in found.items()]

    if work == "rooms":
        return {
            "rooms": curves_svg(
                "CPU time of a new room", "connections", "µs", curve("connections", "cpu_us")
            ),
        }
    if work == "sockets":
        return {}  # measured at one number of sockets: the table says it all
    if work == "relay":
        return {
            f"relay-{size // 1024}": curves_svg(
                f"CPU time of the relay, messages of {size // 1024} KiB",
                "pairs",
                "s/GB",
                curve("pairs", "cpu_seconds_per_gb", message_bytes=size),
            )
            for size in (4096, 262_144)
        }
    points = curve("messages_per_second", "health_p99_ms")
    title = "/api/health, 99th percentile"
    return {"probes": curves_svg(title, "signaling messages/s", "ms", points, log_x=False)}
