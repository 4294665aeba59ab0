"""The registry that a process records to by default."""

from __future__ import annotations

import os
from pathlib import Path

from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.registry import Registry


def process_registry() -> Registry:
    """Create a registry in shared files if ``TALLOW_METRICS_DIR`` names their folder, in memory otherwise.

    A folder that cannot be used is logged once; the registry is in memory then.
    """
    directory = os.environ.get("TALLOW_METRICS_DIR")
    if not directory:
        return Registry()
    from tallow.monitoring.metrics.multiprocess import WorkerStorage  # needs POSIX file locks

    try:
        return Registry(storage=WorkerStorage(Path(directory)))
    except OSError as error:  # a full disk must not keep a server from starting
        warn_once.warn_once(
            "TALLOW_METRICS_DIR cannot be used: only this worker exposes its own metrics", error=error
        )
        return Registry()
