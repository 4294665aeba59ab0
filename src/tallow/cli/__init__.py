"""The ``tallow`` command. A subcommand's module is imported when the subcommand is used."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

try:
    import click
    from click.shell_completion import CompletionItem
except ModuleNotFoundError:  # `tallow.monitoring` installs without the command line
    sys.exit("tallow: the command line is not installed; install tallow[app] or tallow[stack]")

from tallow import __version__
from tallow.cli import exit_status
from tallow.cli.exit_status import EXIT_STATUSES, one_line
from tallow.cli.standard_streams import ignore_closed_reader, interrupt_when_reader_closes

COMMANDS: dict[str, tuple[str, str, str]] = {
    "serve": ("tallow.app.commands.serve", "app", "Run the Tallow server."),
    "send": ("tallow.app.commands.send", "app", "Send files: prints a link and waits for the receiver."),
    "receive": ("tallow.app.commands.receive", "app", "Receive files from a link."),
    "settings": ("tallow.app.commands.settings", "app", "Show or change settings of send and receive."),
    "demo": (
        "tallow.app.commands.demo",
        "app",
        "Make real traffic, so that every dashboard panel shows data.",
    ),
    "up": ("tallow.stack.commands.up", "stack", "Start Tallow and its monitoring."),
    "down": ("tallow.stack.commands.down", "stack", "Stop what `up` started; data is kept."),
    "status": ("tallow.stack.commands.status", "stack", "Show what runs and whether it is healthy."),
    "doctor": ("tallow.stack.commands.doctor", "stack", "Check the items of the production checklist."),
    "logs": ("tallow.stack.commands.logs", "stack", "Read, filter and follow the logs."),
    "open": ("tallow.stack.commands.open", "stack", "Open the dashboards, Prometheus or another page."),
    "restart": ("tallow.stack.commands.restart", "stack", "Restart single services."),
    "reload": ("tallow.stack.commands.reload", "stack", "Apply changed settings."),
    "inbox": (
        "tallow.stack.commands.inbox",
        "stack",
        "Read the alert e-mails in the built-in mailbox.",
    ),
    "drill": ("tallow.stack.commands.drill", "stack", "Prove with real faults that alerts notify."),
    "alerts": ("tallow.stack.commands.alerts", "stack", "Show the firing alerts; send a test alert."),
    "silence": ("tallow.stack.commands.silence", "stack", "Silence alerts for a while."),
    "query": ("tallow.stack.commands.query", "stack", "Evaluate a PromQL expression."),
    "size": ("tallow.stack.commands.size", "stack", "Estimate what Prometheus needs for many instances."),
    "credentials": ("tallow.stack.commands.credentials", "stack", "Show or rotate passwords and tokens."),
    "viewer": ("tallow.stack.commands.viewer", "stack", "Show the dashboards in a browser."),
    "lint": (
        "tallow.stack.commands.lint",
        "stack",
        "Check dashboards and alerts against the metric catalogue.",
    ),
    "prove": (
        "tallow.stack.commands.prove",
        "stack",
        "Find faults in Prometheus rules that promtool accepts.",
    ),
    "scrub": ("tallow.stack.commands.scrub", "stack", "Redact private data in a text."),
    "generate": (
        "tallow.cli.generate",
        "stack",
        "Write monitoring/ and deploy/ from the catalogue.",
    ),
    "completion": ("tallow.cli.completion", "app", "Print shell completion for bash, zsh or fish."),
}
"""Module, extra with its dependencies, and a line of help by command. ``--help`` imports no module."""

UNBOUNDED: Final[Mapping[str, str | None]] = MappingProxyType(
    {"logs": "follow", "inbox": "follow", "demo": None}
)
"""Commands that write until they are interrupted, with the option for that (None: always). They also end when
the reader of their output exits, as in ``tallow logs -f | head``."""


class LazyGroup(click.Group):
    """A command group that imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _load(cmd_name) if cmd_name in COMMANDS else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands and options. click's own method would import every command."""
        commands = [
            CompletionItem(name, help=line)
            for name, (_, _, line) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; in standalone mode (the default) exit with its status."""
        run: Callable[..., Any] = functools.partial(super().main, *args, **extra | {"standalone_mode": False})
        if not extra.get("standalone_mode", True):
            return run()
        sys.stdout, sys.stderr = ignore_closed_reader(sys.stdout), ignore_closed_reader(sys.stderr)
        sys.exit(exit_status.run(run))


@functools.cache
def add_variables_to_help(command: click.Command, name: str) -> click.Command:
    """Add the variables that a command reads to its ``--help`` and to that of its subcommands.

    The variables are collected when help is shown, because that imports the settings of all packages. The
    function is cached, so that they are added once.
    """
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            add_variables_to_help(subcommand, name)
    original = command.format_epilog

    def format_epilog(context: click.Context, formatter: click.HelpFormatter) -> None:
        from tallow.cli.variables import read_by

        original(context, formatter)
        if variables := read_by(name):
            with formatter.section("Variables (docs/settings.md)"):
                formatter.write_text(", ".join(variables))

    command.format_epilog = format_epilog  # type: ignore[method-assign, assignment]
    return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExit status of every command:\n"
    + "\n".join(f"  {status:>3}  {meaning}" for status, meaning in EXIT_STATUSES.items()),
)
@click.version_option(__version__, prog_name="tallow")
@click.pass_context
def main(context: click.Context) -> None:
    """Tallow: end-to-end encrypted file transfer, and monitoring that exports no personal data."""
    context.obj = (
        running_server  # `app` does not import `stack`; see tallow.app.commands.options.server_option
    )


def running_server(home: Path | None) -> str | None:
    """The address of the server of a running stack.

    Args:
        home: the stack's folder; by default that of ``TALLOW_HOME`` or of this user.

    Returns:
        The address; None if the stack does not run.

    Raises:
        click.ClickException: the folder cannot be read.
    """
    from tallow.stack.engines.services.address import server_url
    from tallow.stack.engines.state.state_dir import StateDir, StateDirError

    try:
        return server_url(StateDir.at(home))
    except ModuleNotFoundError as error:
        raise click.ClickException(f"--home needs {error.name}; install tallow[stack]") from None
    except StateDirError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(one_line(error)) from None


@functools.cache
def _load(name: str) -> click.Command:
    """Import a command.

    Raises:
        click.ClickException: the extra that it needs is not installed.
    """
    module, extra, _ = COMMANDS[name]
    try:
        command: click.Command = importlib.import_module(module).command
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tallow"):
            raise
        raise click.ClickException(f"'{name}' needs {error.name}; install tallow[{extra}]") from None
    _add_statuses_to_help(command)
    add_variables_to_help(command, name)
    if name in UNBOUNDED and command.callback:
        command.callback = interrupt_when_reader_closes(command.callback, UNBOUNDED[name])
    return command


def _add_statuses_to_help(command: click.Command) -> None:
    """Add the exit statuses to the help of a command and of its subcommands."""
    meanings = "; ".join(f"{status} {meaning}" for status, meaning in EXIT_STATUSES.items())
    command.epilog = "\n\n".join(filter(None, (command.epilog, f"Exit status: {meanings}.")))
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            _add_statuses_to_help(subcommand)
