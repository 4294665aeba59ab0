"""``tallow viewer``: the dashboards in a browser, without Grafana."""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from tallow import __version__
from tallow.monitoring import logging
from tallow.monitoring.http.auth import is_loopback
from tallow.monitoring.http.uvicorn_records import limit_connection_records
from tallow.monitoring.integrations.certificates import certificate_problem
from tallow.monitoring.integrations.http_server.limits import ConnectionLimits
from tallow.monitoring.integrations.uvicorn_config import run_server, uvicorn_config
from tallow.monitoring.settings import process_options
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings
from tallow.stack.viewer.app import ViewerSettings, create_app
from tallow.stack.viewer.credentials import BadCredentialsError, load_credentials, load_token
from tallow.stack.viewer.dashboards import BadDashboardError, load_dashboards, unavailable_dashboards
from tallow.stack.viewer.guard import HEALTH_PATH
from tallow.stack.viewer.metrics import METRICS_PATH, refusal_recorder

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    parts = urlsplit(value or "")
    if value is not None and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.username):
        raise click.BadParameter("an address such as http://127.0.0.1:9090 is expected")
    return value


@click.command("viewer")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=3001, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option("--prometheus", required=True, metavar="URL", callback=_address, help="Address of Prometheus.")
@click.option("--alertmanager", metavar="URL", callback=_address, help="Address of Alertmanager.")
@click.option("--credentials-file", required=True, type=FILE, help="The stack's password, mode 0600.")
@click.option(
    "--metrics-token-file",
    type=FILE,
    help="Bearer token that /metrics asks for, mode 0600; without one /metrics answers this machine only.",
)
@click.option(
    "--dashboards",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of Grafana dashboards to show instead of Tallow's own.",
)
@click.option("--allow-host", multiple=True, metavar="NAME", help="A host name the viewer is reached by.")
@click.option("--tls-cert", type=FILE, help="Certificate, PEM.")
@click.option("--tls-key", type=FILE, help="Its key, PEM.")
def command(
    host: str,
    port: int,
    prometheus: str,
    alertmanager: str | None,
    credentials_file: Path,
    metrics_token_file: Path | None,
    dashboards: Path | None,
    allow_host: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Show the dashboards in a browser, reading from Prometheus and writing nothing.

    /metrics counts failed logins (tallow_viewer_login_failures_total) and refused connections for Prometheus.
    """
    _check_tls(host, tls_cert, tls_key)
    try:
        credentials = load_credentials(credentials_file)
        token = load_token(metrics_token_file) if metrics_token_file else None
        shown, unavailable = load_dashboards(dashboards), unavailable_dashboards(dashboards)
    except (BadCredentialsError, BadDashboardError) as error:
        raise click.ClickException(str(error)) from None
    settings = ViewerSettings(
        prometheus=prometheus, alertmanager=alertmanager, hosts=(*allow_host, host), metrics_token=token
    )
    _configure_logging()
    listener = _bind(host, port)
    limit_connection_records()
    app = create_app(settings, credentials, shown, unavailable)
    config = uvicorn_config(
        app,
        ConnectionLimits(
            operational_paths=frozenset({HEALTH_PATH, METRICS_PATH}),
            on_refusal=refusal_recorder(app.state.registry),
        ),
        log_level="warning",
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
    )
    scheme = "http" if tls_cert is None else "https"
    click.echo(f"The dashboards are on {scheme}://{_listening_address(listener)}", err=True)
    sys.exit(run_server(config, listener))


def _check_tls(host: str, certificate: Path | None, key: Path | None) -> None:
    """Check the options for TLS, which are required unless only this machine can connect.

    Raises:
        click.ClickException: they are incomplete or unusable.
    """
    if (certificate is None) != (key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    if certificate and key:
        if problem := certificate_problem(certificate, key):
            raise click.ClickException(problem)
    elif not is_loopback(host) and host != "localhost":
        raise click.UsageError(
            f"{host} is reachable from other machines: --tls-cert and --tls-key are needed"
        )


def _listening_address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _configure_logging() -> None:
    try:
        process_options.set_program("tallow", __version__)
        logging.configure(MonitoringSettings.load())
    except logging.BadSettingError as error:
        raise click.ClickException(str(error)) from None


def _bind(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} is taken; name another with --port") from None
        raise click.ClickException(f"cannot listen on {host}: {error.strerror}") from None
