"""Print the tables; ``--write`` puts them into ``docs/performance.md``, words choose what to run."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.paired_measurement import Row, table

PARTS = (
    "records",
    "middleware",
    "expositions",
    "holds",
    "footprint",
    "watches",
    "logs",
    "scrubber",
    "transfers",
    "dashboards",
)
PEERS = (
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
    chosen = [word for word in sys.argv[1:] if not word.startswith("-")] or PARTS
    unknown = set(chosen) - set(PARTS)
    if unknown:
        sys.exit(f"benchmarks: unknown: {', '.join(sorted(unknown))}; accepted: {', '.join(PARTS)}")
    rows: list[Row] = []
    for part in chosen:
        print(f"… {part}", file=sys.stderr)
        found = importlib.import_module(f"benchmarks.{part}").rows()
        print(f"{table(found)}\n")
        if "--write" in sys.argv:
            write(part, table(found))
        rows += found
    print(conditions())
    if "--write" in sys.argv:
        write("conditions", conditions())
    missed = [row for row in rows if row.met is False]
    sys.exit(f"{len(missed)} aims are not met" if missed else 0)


def write(part: str, text: str) -> None:
    """Put a part's table between its marks in the page."""
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->"
    page = PAGE.read_text()
    head, found, rest = page.partition(begin)
    if not found:
        sys.exit(f"benchmarks: {PAGE.name} has no place marked for {part}")
    PAGE.write_text(f"{head}{begin}{text}\n{end}{rest.partition(end)[2]}")


def conditions() -> str:
    """What the figures were taken on, and the peers' versions."""
    versions = ", ".join(f"{peer} {version(peer)}" for peer in PEERS)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"Python {platform.python_version()}, {platform.machine()}, {cores} shared cores; {versions}."


if __name__ == "__main__":
    main()
