"""Several workers behind one port: started, watched and replaced by uvicorn's supervisor."""

from __future__ import annotations

import functools
import multiprocessing
import multiprocessing.connection
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from tallow.app.server.settings import ServerSettings
from tallow.app.server.transport.uvicorn_config import server_config
from tallow.monitoring.logging import configure as configure_logging
from tallow.monitoring.sentry import init_monitoring

METRICS_DIR_VARIABLE = "TALLOW_METRICS_DIR"


class WorkerSupervisor(Multiprocess):
    """uvicorn's, but a worker is replaced only once it has left: rooms live in its slot."""

    def restart_all(self) -> None:
        for process in self.processes:
            process.terminate()
            process.join()
            self.keep_subprocess_alive()


def run_workers(settings: ServerSettings, listener: socket.socket, workers: int, **options: Any) -> int:
    """Serve with several workers until told to stop: the exit status.

    What they count lies in a folder of its own, so that a worker's end takes nothing back; it ends with this
    process.
    """
    folder = Path(tempfile.mkdtemp(prefix="tallow-workers-"))
    # Set before the workers start: each opens its storage as it imports the library.
    os.environ[METRICS_DIR_VARIABLE] = str(folder / "metrics")
    app = functools.partial(worker_app, settings, folder, workers)
    config = server_config(app, settings, factory=True, workers=workers, **options)
    try:
        supervisor = WorkerSupervisor(config, [listener])
        supervisor.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if any(process.exitcode == 3 for process in supervisor.processes) else 0


def worker_app(settings: ServerSettings, folder: Path, workers: int) -> Starlette:
    """One worker's application; made in its own process."""
    from tallow.app.server.app import create_app
    from tallow.app.server.cluster.node import join_cluster

    _die_with_parent(folder)
    configure_logging()
    init_monitoring()
    return create_app(settings, cluster=join_cluster(settings, folder, workers))


def _die_with_parent(folder: Path) -> None:
    """A supervisor that was killed cannot stop its workers or clear up: they see it end, and do."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent").start()
