"""The registry that a process records to by default."""

from __future__ import annotations

import os
from pathlib import Path

from tallow.monitoring.lifecycle import fork, warn_once
from tallow.monitoring.metrics.declarations import DECLARATIONS
from tallow.monitoring.metrics.registry import Registry

_registry: Registry | None = None


def process_registry() -> Registry:
    """Return the process's own registry; the first call creates it."""
    global _registry
    if _registry is None:
        with fork.lock:
            if _registry is None:
                _registry = _create_registry()
    return _registry


def _create_registry() -> Registry:
    """Create a registry in shared files if ``TALLOW_METRICS_DIR`` names their folder, in memory otherwise.

    A folder that cannot be used is logged once; the registry is in memory then.
    """
    directory = os.environ.get("TALLOW_METRICS_DIR")
    if not directory:
        return Registry(declarations=DECLARATIONS)
    from tallow.monitoring.metrics.workers.storage import WorkerStorage  # needs POSIX file locks

    try:
        return Registry(storage=WorkerStorage(Path(directory)), declarations=DECLARATIONS)
    except OSError as error:  # a full disk must not keep a server from starting
        warn_once.warn_once(
            "TALLOW_METRICS_DIR cannot be used: only this worker exposes its own metrics", error=error
        )
        return Registry(declarations=DECLARATIONS)
