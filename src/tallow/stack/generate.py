"""The generated files of the stack; ``tallow generate`` adds those of other packages."""

from __future__ import annotations

from pathlib import PurePosixPath

from tallow.stack import alerts, compose, dashboards, kubernetes, log_pipeline, prometheus, routing
from tallow.stack.docs import alerts as alerts_docs
from tallow.stack.docs import library_usage, metrics, privacy, summary
from tallow.stack.sizing import page as size_page

SOURCES = (
    *(alerts, routing, dashboards, prometheus, log_pipeline, compose, kubernetes),
    *(metrics, alerts_docs, privacy, library_usage, size_page, summary),
)
"""The modules that generate files, each by its ``files()``."""


def files() -> dict[PurePosixPath, str]:
    """Content by path in the repository."""
    return {path: content for source in SOURCES for path, content in source.files().items()}
