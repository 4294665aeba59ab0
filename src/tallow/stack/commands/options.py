"""What the stack's verbs share: the option for the stack's folder, and errors as one line."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tallow.monitoring.setting_error import BadSettingError
from tallow.stack.commands.hints import command_line
from tallow.stack.engines.binaries import MissingProgramError
from tallow.stack.engines.home import Home, HomeError
from tallow.stack.engines.native import StackError
from tallow.stack.engines.ports import PortTakenError

Function = TypeVar("Function", bound=Callable[..., Any])

KNOWN = (StackError, HomeError, MissingProgramError, PortTakenError, BadSettingError)


def home_option(function: Function) -> Function:
    """``--home``, handed to the command as a Home named ``home``; known errors end it with one line."""

    @functools.wraps(function)
    def wrapped(*args: Any, home: Path | None, **kwargs: Any) -> Any:
        try:
            return function(*args, home=Home.at(home), **kwargs)
        except KNOWN as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from None

    option = click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help="The stack's folder; by default TALLOW_HOME, or ~/.local/state/tallow.",
    )
    return option(wrapped)  # type: ignore[return-value]


def existing(home: Home) -> Home:
    """The folder of a stack that was started once.

    Raises:
        HomeError: none was.
    """
    if not home.exists():
        raise HomeError(f"there is no stack in {home.root}; start one with: {command_line(home, 'up')}")
    return home
