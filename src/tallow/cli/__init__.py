"""The ``tallow`` command: loads a command's module when the command is called, and ends all of them alike."""

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

# command -> (module, extra that brings its dependencies, one line for --help). Listed here so that
# `tallow --help` imports neither package.
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
    "logs": ("tallow.stack.commands.logs", "stack", "Read, filter and follow the logs."),
    "open": ("tallow.stack.commands.open", "stack", "Open the dashboards, Prometheus or another page."),
    "restart": ("tallow.stack.commands.restart", "stack", "Restart single services."),
    "reload": ("tallow.stack.commands.reload", "stack", "Bring changed settings into effect."),
    "inbox": (
        "tallow.stack.commands.inbox",
        "stack",
        "Read the alert e-mails the built-in mailbox received.",
    ),
    "drill": ("tallow.stack.commands.drill", "stack", "Prove with real faults that alerts notify."),
    "alerts": ("tallow.stack.commands.alerts", "stack", "Show the firing alerts; send a test alert."),
    "silence": ("tallow.stack.commands.silence", "stack", "Hold alerts back for a while."),
    "query": ("tallow.stack.commands.query", "stack", "Ask Prometheus a question in PromQL."),
    "credentials": ("tallow.stack.commands.credentials", "stack", "Show or rotate passwords and tokens."),
    "viewer": ("tallow.stack.commands.viewer", "stack", "Show the dashboards in a browser."),
    "lint": (
        "tallow.stack.commands.lint",
        "stack",
        "Check dashboards and alerts against the metric catalogue.",
    ),
    "scrub": ("tallow.stack.commands.scrub", "stack", "Write a text without what is private in it."),
    "generate": (
        "tallow.cli.generate",
        "stack",
        "Write monitoring/ and deploy/ from the catalogue.",
    ),
    "completion": ("tallow.cli.completion", "app", "Print shell completion for bash, zsh or fish."),
}

UNBOUNDED: Final[Mapping[str, str | None]] = MappingProxyType(
    {"logs": "follow", "inbox": "follow", "demo": None}
)
"""Commands that write until they are told to stop, and the option that makes them so (None: they always do).
They end when nobody reads their output (``tallow logs -f | head``); other commands go on to their end."""


class LazyGroup(click.Group):
    """A command group that imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _load(cmd_name) if cmd_name in COMMANDS else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options that begin so; click's own method would import every command."""
        commands = [
            CompletionItem(verb, help=line)
            for verb, (_, _, line) in COMMANDS.items()
            if verb.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, line) for verb, (_, _, line) in COMMANDS.items()])

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; in standalone mode (the default) exit with its status."""
        run: Callable[..., Any] = functools.partial(super().main, *args, **extra | {"standalone_mode": False})
        if not extra.get("standalone_mode", True):
            return run()
        sys.stdout, sys.stderr = ignore_closed_reader(sys.stdout), ignore_closed_reader(sys.stderr)
        sys.exit(exit_status.run(run))


@functools.cache
def add_variables_to_help(command: click.Command, name: str) -> click.Command:
    """The command, whose ``--help`` and that of its subcommands now end with the variables that it reads.

    They are gathered only when help is asked for: that imports the settings of all packages. Cached, so that
    a command that is looked up twice names them once.
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
    context.obj = running_server  # `app` does not import `stack`; see tallow.app.commands.server_option


def running_server(home: Path | None) -> str | None:
    """The address of the server of the stack in ``home``, by default the stack of ``TALLOW_HOME`` or of this
    user. None: it does not run.

    Raises:
        click.ClickException: one line about a folder that cannot be read.
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
def _load(verb: str) -> click.Command:
    """Import a command.

    Raises:
        click.ClickException: the extra that it needs is not installed.
    """
    module, extra, _ = COMMANDS[verb]
    try:
        command: click.Command = importlib.import_module(module).command
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("tallow"):
            raise
        raise click.ClickException(f"'{verb}' needs {error.name}; install tallow[{extra}]") from None
    _explain_statuses(command)
    add_variables_to_help(command, verb)
    if verb in UNBOUNDED and command.callback:
        command.callback = interrupt_when_reader_closes(command.callback, UNBOUNDED[verb])
    return command


def _explain_statuses(command: click.Command) -> None:
    """Put the exit statuses at the end of the help of a command and of its subcommands."""
    meanings = "; ".join(f"{status} {meaning}" for status, meaning in EXIT_STATUSES.items())
    command.epilog = "\n\n".join(filter(None, (command.epilog, f"Exit status: {meanings}.")))
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            _explain_statuses(subcommand)
