"""``tallow serve``: run the server until it is told to stop."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from typing import Final

import click
import uvicorn
from starlette.applications import Starlette

from tallow.app.server.main import create_app
from tallow.app.server.protocol import BoundedWebSocket
from tallow.app.server.relay import MAX_MESSAGE_BYTES
from tallow.app.server.settings import BadSettingError, ServerSettings, load_settings
from tallow.monitoring.access import is_loopback

BACKLOG: Final = 2048
SHUTDOWN_S: Final = 5


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=3000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option(
    "--tls-cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificate, PEM."
)
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its key, PEM.")
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder of the database.")
def command(host: str, port: int, tls_cert: Path | None, tls_key: Path | None, data_dir: Path | None) -> None:
    """Run the Tallow server: rooms, signaling, relay, telemetry, metrics and health."""
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    try:
        settings = load_settings(data_dir=data_dir)
        listener = bind(host, port)
        prepare(settings)
    except BadSettingError as error:
        raise click.ClickException(str(error)) from None
    if tls_cert is None and not is_loopback(listener.getsockname()[0]):
        click.secho(
            f"WARNING: {host} is reachable from other machines and there is no TLS: browsers will not "
            "encrypt, and links can be read on the way. Use --tls-cert and --tls-key, or a TLS proxy.",
            fg="red",
            bold=True,
            err=True,
        )
    scheme = "http" if tls_cert is None else "https"
    name, bound = listener.getsockname()[:2]
    click.echo(f"Tallow listens on {scheme}://{f'[{name}]' if ':' in name else name}:{bound}", err=True)
    server = uvicorn.Server(configure(create_app(settings), settings, tls_cert, tls_key))
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, _stopped)
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(1)


def configure(
    app: Starlette, settings: ServerSettings, tls_cert: Path | None = None, tls_key: Path | None = None
) -> uvicorn.Config:
    """uvicorn, set up for Tallow: h11 (it bounds the size of headers), bounded WebSockets without
    compression, no access log (it would hold addresses)."""
    return uvicorn.Config(
        app,
        http="h11",
        h11_max_incomplete_event_size=32 * 1024,
        ws=BoundedWebSocket,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=settings.ping_interval,
        ws_ping_timeout=settings.ping_timeout,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
    )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        BadSettingError: the address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)  # whoever reads the line we print may connect at once
    except OSError as error:
        raise BadSettingError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return listener


def prepare(settings: ServerSettings) -> None:
    """Make the data folder, for this user alone.

    Raises:
        BadSettingError: it cannot be made or written to.
    """
    if settings.database_url is not None:
        return
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadSettingError(f"the data folder {folder} is not writable: {error.strerror}") from None


def _stopped(_signal: int, _frame: object) -> None:
    """uvicorn stops gracefully and raises the signal again; stopping when told to is a success: exit 0."""
