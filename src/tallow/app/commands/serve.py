"""``tallow serve``: run the server."""

from __future__ import annotations

import importlib.util
import json
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

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
from tallow.monitoring.integrations.uvicorn_config import run_server
from tallow.monitoring.logging import logger
from tallow.monitoring.sentry import init_monitoring
from tallow.monitoring.settings.base import is_writable_folder
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings


@click.command("serve", cls=ServerCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=3000, show_default=True, type=click.IntRange(0, 65535), help="0: any free port."
)
@click.option(
    "--tls-cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TLS certificate, PEM.",
)
@click.option(
    "--tls-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Private key of the certificate, PEM.",
)
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
            init_monitoring()  # workers call it in their own processes
        listener = listen(host, port)
        refuse_unsafe_faults(settings, listener.getsockname()[0], workers)
        check_certificate(tls_cert, tls_key)
        check_data_dir(settings)
        check_database(settings)
    except BadSettingError as error:
        exit_with_error(str(error))
    _announce_address(host, listener, is_encrypted=tls_cert is not None)
    tls = {"ssl_certfile": tls_cert, "ssl_keyfile": tls_key}
    if workers > 1:
        from tallow.app.server.supervisor import run_workers  # POSIX only

        sys.exit(run_workers(settings, listener, workers, **tls))
    sys.exit(run_single_process(settings, listener, **tls))


def run_single_process(settings: ServerSettings, listener: socket.socket, **options: Any) -> int:
    """Serve in this process until SIGINT or SIGTERM.

    Args:
        options: further options of :class:`uvicorn.Config`.

    Returns:
        The exit status.
    """
    # Imported here: the supervisor of workers neither serves nor records.
    from tallow.app.server.app import create_app
    from tallow.app.server.cluster.node import join_cluster

    app = create_app(settings, cluster=join_cluster(settings), extra_routes=extra_routes(settings))
    status = run_server(server_config(app, settings, **options), listener)
    if status:
        logger.fatal("The server ends, as the application could not start")
    return status


def extra_routes(settings: ServerSettings) -> Callable[[Any, Any], Sequence[Any]]:
    """The routes of the fault switches if TALLOW_FAULTS is on, else none.

    Returns:
        A :data:`tallow.app.server.app.RouteFactory`.
    """
    if not settings.faults or settings.faults_token is None:
        return lambda _store, _cache: ()
    from tallow.app.faults.server import fault_routes  # loaded only for drills

    return fault_routes(settings.faults_token.get_secret_value())


def _announce_address(host: str, listener: socket.socket, *, is_encrypted: bool) -> None:
    name, port = listener.getsockname()[:2]
    if not is_encrypted and not is_loopback(name):
        announce(
            f"WARNING: {host} is reachable from other machines and there is no TLS: browsers will not "
            "encrypt, and links can be read on the way. Use --tls-cert and --tls-key, or a TLS proxy.",
            warning=True,
        )
    scheme = "https" if is_encrypted else "http"
    announce(f"Tallow listens on {scheme}://{f'[{name}]' if ':' in name else name}:{port}")


def _check_settings(host: str, workers: int, data_dir: Path | None) -> None:
    """Print the variables of all settings, then fail with one line if a setting would prevent the start."""
    click.echo(json.dumps((*ServerSettings.setting_variables(), *MonitoringSettings.setting_variables())))
    try:
        settings = ServerSettings.load(data_dir=data_dir)
        monitoring = MonitoringSettings.load()
        refuse_unsafe_faults(settings, host, workers)
        if settings.database_url is None and not is_writable_folder(settings.data_dir):
            raise BadSettingError(f"the data folder {settings.data_dir} is not writable")
        if monitoring.sentry_dsn and importlib.util.find_spec("sentry_sdk") is None:
            raise BadSettingError("SENTRY_DSN is ***; accepted: nothing, until tallow[sentry] is installed")
    except BadSettingError as error:
        raise click.ClickException(str(error)) from None


def refuse_unsafe_faults(settings: ServerSettings, address: str, workers: int) -> None:
    """Allow fault switches only on loopback, with a token, and in a single process.

    Args:
        address: on which the server listens.

    Raises:
        BadSettingError: the fault switches are on and a condition does not hold.
    """
    if not settings.faults:
        return
    if settings.faults_token is None:
        raise BadSettingError(
            "TALLOW_FAULTS is on and TALLOW_FAULTS_TOKEN is not set; accepted: at least 16 characters"
        )
    if not is_loopback(address) or workers > 1:
        raise BadSettingError("TALLOW_FAULTS is on; accepted with it: a loopback --host and --workers 1")
