"""Print the table; ``--write`` puts it into ``docs/performance.md``, words choose what to run."""

from __future__ import annotations

import importlib
import platform
import sys
from pathlib import Path

from benchmarks.measure import Row, table

PARTS = ("records", "middleware", "expositions", "footprint", "logs", "transfers", "dashboards")
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"


def main() -> None:
    chosen = [word for word in sys.argv[1:] if not word.startswith("-")] or PARTS
    unknown = set(chosen) - set(PARTS)
    if unknown:
        sys.exit(f"benchmarks: unknown: {', '.join(sorted(unknown))}; accepted: {', '.join(PARTS)}")
    rows: list[Row] = []
    for part in chosen:
        rows += importlib.import_module(f"benchmarks.{part}").rows()
        print(f"… {part}", file=sys.stderr)
    text = f"{table(rows)}\n\nPython {platform.python_version()}, {platform.machine()}, two shared cores.\n"
    print(text)
    if "--write" in sys.argv:
        page = PAGE.read_text()
        head, _, rest = page.partition(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}{text}{END}{rest.partition(END)[2]}")
    missed = [row for row in rows if row.met is False]
    sys.exit(f"{len(missed)} aims are not met" if missed else 0)


if __name__ == "__main__":
    main()
