"""What the commands of the stack share: the option for its folder, and errors as one line with a status."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack.commands.output.terminal import printable_lines
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.errors import NotRunningError, StackError
from tallow.stack.engines.programs.programs import MissingProgramError
from tallow.stack.engines.services.ports import PortTakenError
from tallow.stack.engines.state.state_dir import NoStackError, StateDir, StateDirError

Function = TypeVar("Function", bound=Callable[..., Any])

KNOWN_ERRORS = (StackError, StateDirError, MissingProgramError, PortTakenError, BadSettingError)
"""Errors whose text is meant for people."""


class UnreachableError(click.ClickException):
    """What a command needs is not running or does not answer."""

    exit_code = 3


def command_error(error: Exception) -> click.ClickException:
    """An error as a command ends with it: its text, and 3 as exit status where nothing runs or answers."""
    kind = UnreachableError if isinstance(error, NotRunningError | NoStackError) else click.ClickException
    return kind(printable_lines(str(error)))  # it may quote what another program answered


def home_option(function: Function) -> Function:
    """``--home``, handed to the command as a Home named ``home``; known errors end it with one line."""

    @functools.wraps(function)
    def wrapped(*args: Any, home: Path | None, **kwargs: Any) -> Any:
        try:
            return function(*args, home=StateDir.at(home), **kwargs)
        except KNOWN_ERRORS as error:
            raise command_error(error) from None

    option = click.option(
        "--home",
        # Not readable is no wrong usage: the same folder may be named by TALLOW_HOME.
        type=click.Path(file_okay=False, readable=False, path_type=Path),
        help="The stack's folder; by default TALLOW_HOME, or ~/.local/state/tallow.",
    )
    return option(wrapped)  # type: ignore[return-value]


def require_stack(home: StateDir) -> StateDir:
    """The folder of a stack that was started once.

    Raises:
        NoStackError: none was.
    """
    if not home.exists():
        raise NoStackError(f"there is no stack in {home.root}; start one with: {command_line(home, 'up')}")
    return home
