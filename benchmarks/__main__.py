"""Print the benchmark tables. Arguments select parts; ``--write`` writes them to ``docs/performance.md``.

``python -m benchmarks load`` measures the capacity of the server; see :mod:`benchmarks.load.command`.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.paired_measurement import Row, table

PARTS = (
    "recording",
    "middleware",
    "expositions",
    "event_loop_stalls",
    "footprint",
    "background_overhead",
    "logs",
    "scrubber",
    "transfers",
    "page",
    "page_memory",
    "dashboards",
    "http_servers",
)
COMPETITORS = (
    "prometheus-client",
    "prometheus-fastapi-instrumentator",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation-asgi",
    "starlette",
    "structlog",
    "python-json-logger",
    "loguru",
    "logfire",
    "sentry-sdk",
    "sentry-relay",
    "scrubadub",
    "presidio-analyzer",
)
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main() -> None:
    if sys.argv[1:2] == ["load"]:
        importlib.import_module("benchmarks.load.command").main(sys.argv[2:])
        return
    tables = run(selected_parts(sys.argv[1:]))
    texts = {part: table(rows) for part, rows in tables.items()} | {"conditions": conditions()}
    print(texts["conditions"])
    if "--write" in sys.argv:
        for part, text in texts.items():
            write(part, text)
    missed = [row for rows in tables.values() for row in rows if row.met is False]
    sys.exit(f"{len(missed)} aims are not met" if missed else 0)


def selected_parts(arguments: Sequence[str]) -> Sequence[str]:
    """The parts named by the arguments; all without any."""
    chosen = [argument for argument in arguments if not argument.startswith("-")] or PARTS
    unknown = set(chosen) - set(PARTS)
    if unknown:
        sys.exit(f"benchmarks: unknown: {', '.join(sorted(unknown))}; accepted: {', '.join(PARTS)}")
    return chosen


def run(parts: Sequence[str]) -> dict[str, list[Row]]:
    """Run parts and print their tables."""
    tables = {}
    for part in parts:
        print(f"… {part}", file=sys.stderr)
        tables[part] = importlib.import_module(f"benchmarks.{part}").rows()
        print(f"{table(tables[part])}\n")
    return tables


def write(part: str, text: str) -> None:
    """Replace the text between a part's markers in the page."""
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->"
    page = PAGE.read_text()
    head, found, rest = page.partition(begin)
    if not found:
        sys.exit(f"benchmarks: {PAGE.name} has no markers for {part}")
    PAGE.write_text(f"{head}{begin}{text}\n{end}{rest.partition(end)[2]}")


def conditions() -> str:
    """The machine, the Python version and the competitors' versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in COMPETITORS)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"Python {platform.python_version()}, {platform.machine()}, {cores} shared cores; {versions}."


if __name__ == "__main__":
    main()
