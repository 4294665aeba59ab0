"""``tallow serve``: run the server until it is told to stop."""

from __future__ import annotations

import importlib.util
import json
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import click
import uvicorn

from tallow.app.server.settings import BadSettingError, ServerSettings
from tallow.app.server.startup import (
    ServerCommand,
    announce,
    check_certificate,
    check_data_dir,
    check_database,
    configure_startup_logging,
    exit_with_error,
)
from tallow.app.server.transport.uvicorn_config import listen, server_config
from tallow.monitoring.http.auth import is_loopback
from tallow.monitoring.sentry import init_monitoring
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.settings.base import is_writable_folder


@click.command("serve", cls=ServerCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=3000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option(
    "--tls-cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificate, PEM."
)
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its key, PEM.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes that share the port.",
)
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder of the database.")
@click.option(
    "--check-settings",
    is_flag=True,
    help="Check the settings, print the variables that are read as JSON, and exit without starting anything.",
)
def command(
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    workers: int,
    data_dir: Path | None,
    check_settings: bool,
) -> None:
    """Run the Tallow server: rooms, signaling, relay, telemetry, metrics and health."""
    if check_settings:
        _check_settings(host, workers, data_dir)
        return
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    try:
        configure_startup_logging()
        settings = ServerSettings.load(data_dir=data_dir)
        if workers == 1:
            init_monitoring()  # of several, each has its own
        listener = listen(host, port)
        refuse_faults(settings, listener.getsockname()[0], workers)
        check_certificate(tls_cert, tls_key)
        check_data_dir(settings)
        check_database(settings)
    except BadSettingError as error:
        exit_with_error(str(error))
    if tls_cert is None and not is_loopback(listener.getsockname()[0]):
        announce(
            f"WARNING: {host} is reachable from other machines and there is no TLS: browsers will not "
            "encrypt, and links can be read on the way. Use --tls-cert and --tls-key, or a TLS proxy.",
            warning=True,
        )
    scheme = "http" if tls_cert is None else "https"
    name, bound = listener.getsockname()[:2]
    announce(f"Tallow listens on {scheme}://{f'[{name}]' if ':' in name else name}:{bound}")
    tls = {"ssl_certfile": tls_cert, "ssl_keyfile": tls_key}
    if workers > 1:
        from tallow.app.server.supervisor import run_workers  # POSIX only

        sys.exit(run_workers(settings, listener, workers, **tls))
    sys.exit(run_one(settings, listener, **tls))


def run_one(settings: ServerSettings, listener: socket.socket, **tls: Any) -> int:
    """Serve in this process until told to stop: the exit status."""
    # Imported here: the process of the workers' supervisor neither serves nor records.
    from tallow.app.server.app import create_app
    from tallow.app.server.cluster.node import join_cluster

    app = create_app(settings, cluster=join_cluster(settings))
    server = uvicorn.Server(server_config(app, settings, **tls))
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, _stopped)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _check_settings(host: str, workers: int, data_dir: Path | None) -> None:
    """Print the variables of each setting; a setting that would stop the start is one line of error."""
    click.echo(json.dumps((*ServerSettings.setting_variables(), *MonitoringSettings.setting_variables())))
    try:
        settings = ServerSettings.load(data_dir=data_dir)
        monitoring = MonitoringSettings.load()
        refuse_faults(settings, host, workers)
        if settings.database_url is None and not is_writable_folder(settings.data_dir):
            raise BadSettingError(f"the data folder {settings.data_dir} is not writable")
        if monitoring.sentry_dsn and importlib.util.find_spec("sentry_sdk") is None:
            raise BadSettingError("SENTRY_DSN is ***; accepted: nothing, until tallow[sentry] is installed")
    except BadSettingError as error:
        raise click.ClickException(str(error)) from None


def refuse_faults(settings: ServerSettings, address: str, workers: int) -> None:
    """Faults are for drills: on loopback, with a token, in one process.

    Args:
        address: where the server listens.

    Raises:
        BadSettingError: it is anything else.
    """
    if not settings.faults:
        return
    if settings.faults_token is None:
        raise BadSettingError(
            "TALLOW_FAULTS is on and TALLOW_FAULTS_TOKEN is not set; accepted: at least 16 characters"
        )
    if not is_loopback(address) or workers > 1:
        raise BadSettingError("TALLOW_FAULTS is on; accepted with it: a loopback --host and --workers 1")


def _stopped(_signal: int, _frame: object) -> None:
    """uvicorn stops gracefully and raises the signal again; stopping when told to is a success: exit 0."""
