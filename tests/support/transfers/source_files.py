"""The files that paths stand for, without folders and links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tallow.app.files.source_file import SourceFile
from tallow.app.files.source_tree import collect


def collect_files(
    paths: Sequence[Path | str], report: Callable[[str], None] = lambda _line: None
) -> Sequence[SourceFile]:
    return collect(paths, report=report).files
