"""What is checked before the server starts, and how it says that it starts or cannot.

People read it on standard error. Where both streams are one file, as under the stack's supervisor, it is a
log record instead: text between the log's JSON lines could not be read by programs.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from tallow.app.server.settings import BadSettingError, ServerSettings
from tallow.monitoring.integrations.certificates import certificate_problem
from tallow.monitoring.logging import configure, ensure_configured_or_default, flush, logger
from tallow.monitoring.logging.console import is_terminal, same_file


class ServerCommand(click.Command):
    """A command that logs its wrong use, too, where no terminal shows it."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _usage_errors_logged():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _usage_errors_logged():
            return super().invoke(ctx)


@contextmanager
def _usage_errors_logged() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        if is_terminal(sys.stdout):
            raise
        exit_with_error(error.format_message(), error.exit_code, show=error.show)


def configure_startup_logging() -> None:
    """Log as the settings say, warnings of Python included.

    Raises:
        BadSettingError: one line about a setting that cannot be used.
    """
    logging.captureWarnings(True)
    configure()


def announce(message: str, *, warning: bool = False) -> None:
    """Tell people something."""
    if same_file(sys.stdout, sys.stderr):
        (logger.warning if warning else logger.info)(message)
    else:
        click.secho(message, fg="red" if warning else None, bold=warning or None, err=True)


def exit_with_error(message: str, status: int = 1, *, show: Callable[[], object] | None = None) -> NoReturn:
    """End the program, which cannot start: one line on standard error, one at level error in the log.

    Args:
        message: what is wrong and what is accepted, in one line.
        show: writes to standard error, instead of a line with the message.
    """
    if not is_terminal(sys.stdout):
        ensure_configured_or_default()
        logger.error(message)
        flush()
    if not same_file(sys.stdout, sys.stderr):
        if show:
            show()
        else:
            click.echo(f"Error: {message}", err=True)
    sys.exit(status)


def check_data_dir(settings: ServerSettings) -> None:
    """Make the data folder, for this user alone.

    Raises:
        BadSettingError: it cannot be made or written to.
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
    """See that TLS can be served with a certificate and its key, if there are any.

    Raises:
        BadSettingError: it cannot.
    """
    if certificate and key and (problem := certificate_problem(certificate, key)):
        raise BadSettingError(problem)


def check_database(settings: ServerSettings) -> None:
    """Open the database, make what is missing in it, and look whether it is whole.

    Raises:
        BadSettingError: it cannot be used.
    """
    from tallow.app.server.rooms.store import inspect_database  # brings SQLAlchemy and the metrics

    if problem := asyncio.run(inspect_database(settings.database)):
        where = "DATABASE_URL" if settings.database_url else str(settings.data_dir / "tallow.db")
        raise BadSettingError(f"the database ({where}) cannot be used: {problem}")
