"""Shared by the commands of the stack: the option ``--home``, and errors as one line with an exit status."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack.commands.output.terminal import printable_lines
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.docker.choice import is_docker
from tallow.stack.engines.docker.project import project, services
from tallow.stack.engines.errors import NotRunningError, StackError
from tallow.stack.engines.programs.programs import MissingProgramError
from tallow.stack.engines.services.definitions import NAMES
from tallow.stack.engines.services.ports import PortTakenError
from tallow.stack.engines.state.state_dir import NoStackError, StateDir, StateDirError

Function = TypeVar("Function", bound=Callable[..., Any])

KNOWN_ERRORS = (StackError, StateDirError, MissingProgramError, PortTakenError, BadSettingError)
"""Errors whose text is for the operator."""


class UnreachableError(click.ClickException):
    """A stack or service that a command needs does not run or does not answer."""

    exit_code = 3


def command_error(error: Exception) -> click.ClickException:
    """The error that a command ends with; its exit status is 3 if nothing runs or answers."""
    kind = UnreachableError if isinstance(error, NotRunningError | NoStackError) else click.ClickException
    return kind(printable_lines(str(error)))  # it may contain the answer of another program


def home_option(function: Function) -> Function:
    """Decorator: add ``--home``, pass it as the argument ``home``, and turn known errors into one line."""

    @functools.wraps(function)
    def wrapped(*args: Any, home: Path | None, **kwargs: Any) -> Any:
        try:
            return function(*args, home=StateDir.at(home), **kwargs)
        except KNOWN_ERRORS as error:
            raise command_error(error) from None

    option = click.option(
        "--home",
        # click must not check that it is readable: the error would differ from that of TALLOW_HOME.
        type=click.Path(file_okay=False, readable=False, path_type=Path),
        help="The stack's folder; by default TALLOW_HOME, or ~/.local/state/tallow.",
    )
    return option(wrapped)  # type: ignore[return-value]


def require_stack(home: StateDir) -> StateDir:
    """The folder, if a stack was started in it.

    Raises:
        NoStackError: none was.
    """
    if not home.exists():
        raise NoStackError(f"there is no stack in {home.root}; start one with: {command_line(home, 'up')}")
    return home


def service_names(home: StateDir, *further: str) -> tuple[str, ...]:
    """The services of the stack in ``home``; of a native one with ``further`` names."""
    return services(project(home).profiles) if is_docker(home) else (*NAMES, *further)


def require_services(home: StateDir, names: Iterable[str], *further: str) -> None:
    """Check that the stack in ``home`` has some services: the engines have different ones.

    Raises:
        NoStackError: no stack was started there.
        StackError: it does not have one of them.
    """
    present = service_names(require_stack(home), *further)
    if unknown := [name for name in names if name not in present]:
        raise StackError(f"this stack has no {', no '.join(unknown)}; accepted: {', '.join(present)}")
