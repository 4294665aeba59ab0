"""Every generated file of the repository, from one place: written, or compared with what is committed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from tallow.stack import alerts, alerts_docs, dashboards, metrics_docs, prometheus, routing, settings_docs

SOURCES = (alerts, routing, dashboards, prometheus, metrics_docs, alerts_docs, settings_docs)
"""The modules that say what is generated, each by its ``files()``."""


def files() -> dict[PurePosixPath, str]:
    """Repository path to content."""
    return {path: content for source in SOURCES for path, content in source.files().items()}


def stale(root: Path) -> list[PurePosixPath]:
    """The files under ``root`` that are missing or differ from what the code says."""
    return [path for path, content in files().items() if _committed(root / path) != content]


def write(root: Path) -> list[PurePosixPath]:
    """Write what is stale under ``root``; the paths written."""
    changed = stale(root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(files()[path], encoding="utf-8", newline="\n")
    return changed


def _committed(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
