"""Several worker processes that share one port, started and replaced by uvicorn's supervisor."""

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
from typing import Any, Final, cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import multiprocess

from tallow import __version__
from tallow.app.server.settings import ServerSettings
from tallow.app.server.transport.uvicorn_config import server_config
from tallow.monitoring.integrations.http_server.server import LimitedConfig, LimitedServer
from tallow.monitoring.logging import configure as configure_logging
from tallow.monitoring.logging import flush, logger
from tallow.monitoring.metrics import METRICS
from tallow.monitoring.sentry import init_monitoring
from tallow.monitoring.settings import process_options
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

METRICS_DIR_VARIABLE: Final = "TALLOW_METRICS_DIR"
STARTUP_FAILURE: Final = 3
"""uvicorn's exit status of a worker that could not start."""
WORKER_RESPONSE_TIMEOUT_S: Final = 30
"""uvicorn kills a worker that does not answer its supervisor for this long. A worker that starts does not
answer: uvicorn's default of 5 seconds would kill it again and again on a slow machine."""


class WorkerProcess(multiprocess.Process):
    """A worker that accepts connections within the limits of its configuration."""

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = LimitedServer(cast("LimitedConfig", self.config))
        return self._server


class WorkerSupervisor(multiprocess.Multiprocess):
    """uvicorn's supervisor, which starts a new worker only after the old one has exited: the new one takes
    its slot in the room directory."""

    def restart_all(self) -> None:
        for process in self.processes:
            process.terminate()
            process.join()
            self.keep_subprocess_alive()


def run_workers(settings: ServerSettings, listener: socket.socket, workers: int, **options: Any) -> int:
    """Serve with several workers until SIGINT or SIGTERM.

    Their metrics are in a temporary folder, so that counters do not fall when a worker exits. The folder is
    deleted with this process.

    Args:
        options: further options of :class:`uvicorn.Config`.

    Returns:
        The exit status.
    """
    folder = Path(tempfile.mkdtemp(prefix="tallow-workers-"))
    # The workers inherit the variable. This process must not use their folder: its registry is created first.
    _ = METRICS.registry
    os.environ[METRICS_DIR_VARIABLE] = str(folder / "metrics")
    app = functools.partial(worker_app, settings, folder, workers)
    config = server_config(
        app,
        settings,
        factory=True,
        workers=workers,
        timeout_worker_healthcheck=WORKER_RESPONSE_TIMEOUT_S,
        **options,
    )
    multiprocess.Process = WorkerProcess  # type: ignore[misc] # uvicorn has no option for the class
    try:
        supervisor = WorkerSupervisor(config, [listener])
        supervisor.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        logger.fatal("The server ends, as a worker could not start")
        return 1
    return 0


def worker_app(settings: ServerSettings, folder: Path, workers: int) -> Starlette:
    """The application of one worker, created in the worker's process."""
    # Imported here: the supervisor neither serves nor records.
    from tallow.app.server.app import create_app
    from tallow.app.server.cluster.node import join_cluster

    _exit_with_parent(folder)
    process_options.set_program("tallow", __version__)
    configure_logging(MonitoringSettings.load())
    init_monitoring()
    return create_app(settings, cluster=join_cluster(settings, folder, workers))


def _exit_with_parent(folder: Path) -> None:
    """A supervisor that is killed can neither stop its workers nor delete the folder: the workers do both."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        logger.fatal("The worker ends, as its supervisor has ended")
        flush()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent watch").start()
