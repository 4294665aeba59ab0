"""``--server`` and ``--home``: the Tallow server that a command uses.

In this order: ``--server`` or ``--home``, ``TALLOW_SERVER``, the stack that runs on this machine,
``http://127.0.0.1:3000``. This package does not import the stack: the command line passes a function in
click's context that finds the stack's server.
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from tallow.app.peer.errors import StackNotRunningError

DEFAULT_SERVER: Final = "http://127.0.0.1:3000"

Locator = Callable[[Path | None], str | None]
"""Finds the server of the stack in a folder, by default the one of ``tallow up``. Returns None if it does
not run. Raises ``click.ClickException`` if the folder cannot be read."""
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """The choice of the command line or the environment.

    Attributes:
        explicit: by an option, not by ``TALLOW_SERVER`` or by default.
    """

    address: str | None
    home: Path | None
    locate: Locator | None
    explicit: bool = False

    def url(self) -> str:
        """The server's address, as given or found.

        Raises:
            StackNotRunningError: no stack runs in the folder of ``--home``.
        """
        if self.home is not None:
            return self._of_stack(self.home)
        if self.address is not None:
            return self.address
        return self._of_default_stack() or DEFAULT_SERVER

    def _of_stack(self, home: Path) -> str:
        found = self.locate(home) if self.locate else None
        if found is None:
            start = shlex.join(["tallow", "up", "--home", str(home)])
            raise StackNotRunningError(f"no stack runs in {home}; start it with: {start}")
        return found

    def _of_default_stack(self) -> str | None:
        try:
            return self.locate(None) if self.locate else None
        except click.ClickException:
            return None  # the default folder was not named; `tallow status` reports the problem


def server_option(purpose: str, default: str | None = None) -> Callable[[Function], Function]:
    """Add the options; the command gets a :class:`ServerChoice` as ``server``.

    Args:
        purpose: help text of ``--server``.
        default: help text for the server without the option.
    """

    def decorated(function: Function) -> Function:
        @functools.wraps(function)
        def wrapped(*args: Any, server: str | None, home: Path | None, **kwargs: Any) -> Any:
            return function(*args, server=_server_choice(server, home), **kwargs)

        return _with_options(wrapped, purpose, default or _DEFAULT)  # type: ignore[no-any-return]

    return decorated


_DEFAULT: Final = f"the stack on this machine, else {DEFAULT_SERVER}"


def _server_choice(server: str | None, home: Path | None) -> ServerChoice:
    context = click.get_current_context()
    by_option = context.get_parameter_source("server") is ParameterSource.COMMANDLINE
    if home is not None and by_option:
        raise click.UsageError("--server and --home exclude each other: each names a server")
    locate = context.obj if callable(context.obj) else None
    return ServerChoice(server, home, locate, explicit=by_option or home is not None)


def _with_options(wrapped: Any, purpose: str, default: str) -> Any:
    server = click.option(
        "--server",
        envvar="TALLOW_SERVER",
        show_envvar=True,
        show_default=default,
        metavar="URL",
        help=purpose,
    )
    home = click.option(
        "--home",
        type=click.Path(file_okay=False, readable=False, path_type=Path),
        help="Use the server of the stack in this folder (the --home of `tallow up`).",
    )
    return server(home(wrapped))
