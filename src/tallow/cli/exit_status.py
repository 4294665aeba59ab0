"""The exit status of every command, and the one line that a failed command prints.

A command sets its status with ``SystemExit`` or with the ``exit_code`` of a ``click.ClickException``. Other
exceptions are mapped to a status here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import click

SUCCESS: Final = 0
FAILURE: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130

EXIT_STATUSES: Final[Mapping[int, str]] = MappingProxyType(
    {
        SUCCESS: "success",
        FAILURE: "failed, or the condition asked about is bad",
        USAGE: "wrong usage",
        UNREACHABLE: "not running or not reachable",
        INTERRUPTED: "interrupted",
    }
)
"""The exit statuses of every command; docs/commands.md explains them."""


def run(command: Callable[[], Any]) -> int:
    """Run a command and return its exit status. A failure is printed to standard error as one line."""
    try:
        status = command()
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as abort:
        return _aborted(abort)
    except OSError as error:
        click.echo(f"Error: {one_line(error)}", err=True)
        return FAILURE
    return status if isinstance(status, int) else SUCCESS


def _aborted(abort: BaseException) -> int:
    """The exit status of a command that was interrupted, or whose question was not answered with yes."""
    if isinstance(abort.__context__, EOFError):
        click.echo("Error: standard input ended before the answer", err=True)
    elif isinstance(abort, KeyboardInterrupt) or isinstance(abort.__context__, KeyboardInterrupt):
        click.echo("Interrupted", err=True)
        return INTERRUPTED
    else:
        click.echo("Nothing was done", err=True)
    return FAILURE


def one_line(error: OSError) -> str:
    """An error of the operating system as one line, with the file if there is one."""
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{where}{error.strerror or error}"
