"""Checks before the server starts, and the messages about its start.

Messages go to standard error. If standard output and standard error are one file, as under the stack's
supervisor, they are log records instead: plain text between JSON lines would break log readers.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from tallow import __version__
from tallow.app.server.settings import BadSettingError, ServerSettings
from tallow.monitoring.integrations.certificates import certificate_problem
from tallow.monitoring.logging import configure, ensure_configured_or_default, flush, logger
from tallow.monitoring.logging.console import is_terminal, same_file
from tallow.monitoring.settings import process_options
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings


class ServerCommand(click.Command):
    """A command that also logs usage errors, unless standard output is a terminal."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _log_usage_errors():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _log_usage_errors():
            return super().invoke(ctx)


@contextmanager
def _log_usage_errors() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        if is_terminal(sys.stdout):
            raise
        exit_with_error(error.format_message(), error.exit_code, show=error.show)


def configure_startup_logging() -> None:
    """Configure logging from the settings, and log Python's warnings.

    Raises:
        BadSettingError: a setting is invalid.
    """
    logging.captureWarnings(True)
    process_options.set_program("tallow", __version__)
    configure(MonitoringSettings.load())


def announce(message: str, *, warning: bool = False) -> None:
    """Show a message to the person who starts the server."""
    if same_file(sys.stdout, sys.stderr):
        (logger.warning if warning else logger.info)(message)
    else:
        click.secho(message, fg="red" if warning else None, bold=warning or None, err=True)


def exit_with_error(message: str, status: int = 1, *, show: Callable[[], object] | None = None) -> NoReturn:
    """Exit because the server cannot start; write one line to standard error and one to the log.

    Args:
        message: what is wrong and what is accepted, in one line.
        status: exit status.
        show: writes to standard error in place of the message.
    """
    if not is_terminal(sys.stdout):
        ensure_configured_or_default()
        logger.fatal(message)
        flush()
    if not same_file(sys.stdout, sys.stderr):
        if show:
            show()
        else:
            click.echo(f"Error: {message}", err=True)
    sys.exit(status)


def check_data_dir(settings: ServerSettings) -> None:
    """Create the data folder, readable only by this user.

    Raises:
        BadSettingError: the folder cannot be created or written to.
    """
    if settings.database_url is not None:
        return
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise BadSettingError(f"the data folder {folder} is not writable: {error.strerror}") from None


def check_certificate(certificate: Path | None, key: Path | None) -> None:
    """Check that a TLS certificate and its key, if given, are usable and belong together.

    A certificate whose time has passed or has not come is a warning: the clock may be wrong, and a server
    that starts can be repaired without an outage.

    Raises:
        BadSettingError: they are not, or do not.
    """
    if not certificate or not key:
        return
    if problem := certificate_problem(certificate, key):
        raise BadSettingError(problem)
    if problem := _validity_problem(certificate):
        announce(f"WARNING: {problem}; clients will refuse it", warning=True)


def _validity_problem(certificate: Path) -> str:
    from cryptography import x509  # loaded only with TLS

    try:
        found = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except (OSError, ValueError):  # what OpenSSL accepts, it may not
        return ""
    now = datetime.now(UTC)
    if found.not_valid_after_utc < now:
        return f"the certificate {certificate} has expired on {found.not_valid_after_utc:%Y-%m-%d}"
    if found.not_valid_before_utc > now:
        return f"the certificate {certificate} is valid from {found.not_valid_before_utc:%Y-%m-%d} on"
    return ""


def check_database(settings: ServerSettings) -> None:
    """Create the database's schema if it is missing, and check that the database is intact.

    Raises:
        BadSettingError: the database cannot be used.
    """
    from tallow.app.server.storage.inspection import inspect_database  # loads SQLAlchemy and the metrics

    if problem := asyncio.run(inspect_database(settings.database)):
        where = "DATABASE_URL" if settings.database_url else str(settings.data_dir / "tallow.db")
        raise BadSettingError(f"the database ({where}) cannot be used: {problem}")
