"""The targets that a stack must scrape: its own jobs and those of the operator's target files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tallow.stack.alerts import Target
from tallow.stack.deployment import ScrapeJob
from tallow.stack.prometheus import FILE_TARGETS_JOB


def expected_targets(jobs: tuple[ScrapeJob, ...], folder: Path) -> list[Target]:
    """The targets whose disappearance TargetMissing reports.

    Args:
        jobs: the stack's own jobs.
        folder: the folder of target files (``*.yml``), as Prometheus's file discovery reads them. A file that
            cannot be read is left out, and its targets are not on the list until it is right.
    """
    return [*(Target(job.name, job.target) for job in jobs), *_from_files(folder)]


def _from_files(folder: Path) -> Iterator[Target]:
    for path in sorted(folder.glob("*.yml")):
        try:
            groups = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeError, yaml.YAMLError):
            continue
        for group in groups if isinstance(groups, list) else ():
            yield from _of_group(group)


def _of_group(group: Any) -> Iterator[Target]:
    if not isinstance(group, dict):
        return
    labels, addresses = group.get("labels") or {}, group.get("targets") or []
    if not isinstance(labels, dict) or not isinstance(addresses, list):
        return
    for address in addresses:
        yield Target(str(labels.get("job", FILE_TARGETS_JOB)), str(labels.get("instance", address)))
