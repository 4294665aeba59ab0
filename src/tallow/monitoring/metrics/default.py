"""The registry a process records to: its own memory's, or a worker's among several."""

from __future__ import annotations

import os
from pathlib import Path

from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.registry import Registry


def process_registry() -> Registry:
    """The process's registry: a worker's if ``TALLOW_METRICS_DIR`` names the folder the workers share."""
    directory = os.environ.get("TALLOW_METRICS_DIR")
    if not directory:
        return Registry()
    from tallow.monitoring.metrics.multiprocess import WorkerStorage  # needs POSIX file locks

    try:
        return Registry(storage=WorkerStorage(Path(directory)))
    except OSError as error:  # a full disk is no reason not to start
        warn_once.warn_once(
            "TALLOW_METRICS_DIR cannot be used: this worker's figures are seen by itself alone", error=error
        )
        return Registry()
