"""The front door: one ``tallow`` command. Every verb lives in its room and is loaded when it is called."""

from __future__ import annotations

import functools
import importlib
import sys
from pathlib import Path

try:
    import click
    from click.shell_completion import CompletionItem
except ModuleNotFoundError:  # `tallow.monitoring` installs without the command line
    sys.exit("tallow: the command line is not installed; install tallow[app] or tallow[stack]")

from tallow import __version__

# verb -> (module, extra that brings its dependencies, one line for --help). Spelled here so that
# `tallow --help` imports no room.
VERBS: dict[str, tuple[str, str, str]] = {
    "serve": ("tallow.app.commands.serve", "app", "Run the Tallow server."),
    "send": ("tallow.app.commands.send", "app", "Send files: prints a link and waits for the receiver."),
    "receive": ("tallow.app.commands.receive", "app", "Receive files from a link."),
    "settings": ("tallow.app.commands.settings", "app", "Show or change settings of send and receive."),
    "demo": ("tallow.app.commands.demo", "app", "Make real traffic, so that every panel lives."),
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
    "drill": ("tallow.stack.commands.drill", "stack", "Prove with real faults that alerts page."),
    "alerts": ("tallow.stack.commands.alerts", "stack", "Show what fires; send a test page."),
    "silence": ("tallow.stack.commands.silence", "stack", "Hold alerts back for a while."),
    "query": ("tallow.stack.commands.query", "stack", "Ask Prometheus a question in PromQL."),
    "credentials": ("tallow.stack.commands.credentials", "stack", "Show or rotate passwords and tokens."),
    "viewer": ("tallow.stack.commands.viewer", "stack", "Show the dashboards in a browser."),
    "lint": (
        "tallow.stack.commands.lint",
        "stack",
        "Check dashboards and alerts against the metric catalogue.",
    ),
    "generate": (
        "tallow.generate",
        "stack",
        "Write monitoring/ and deploy/ from the catalogue.",
    ),
    "completion": ("tallow.completion", "app", "Print shell completion for bash, zsh or fish."),
}


class Rooms(click.Group):
    """A command group that imports a verb's module only when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, extra, _ = VERBS[cmd_name]
        try:
            command: click.Command = importlib.import_module(module).command
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("tallow"):
                raise
            raise click.ClickException(f"'{cmd_name}' needs {error.name}; install tallow[{extra}]") from None
        return add_to_help(command, cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options that begin so; click's own method would import every command."""
        commands = [
            CompletionItem(verb, help=line)
            for verb, (_, _, line) in VERBS.items()
            if verb.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, line) for verb, (_, _, line) in VERBS.items()])


@functools.cache
def add_to_help(command: click.Command, name: str) -> click.Command:
    """The command, whose ``--help`` and that of its subcommands now end with the variables that it reads.

    They are gathered only when help is asked for: that imports the settings of all packages. Cached, so that
    a command that is looked up twice names them once.
    """
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            add_to_help(subcommand, name)
    original = command.format_epilog

    def format_epilog(context: click.Context, formatter: click.HelpFormatter) -> None:
        from tallow.command_variables import read_by

        original(context, formatter)
        if variables := read_by(name):
            with formatter.section("Variables (docs/settings.md)"):
                formatter.write_text(", ".join(variables))

    command.format_epilog = format_epilog  # type: ignore[method-assign, assignment]
    return command


@click.group(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tallow")
@click.pass_context
def main(context: click.Context) -> None:
    """Tallow: file transfer nobody else can read, and monitoring that cannot learn who sends what."""
    context.obj = running_server  # `app` does not import `stack`; see tallow.app.commands.server_option


def running_server(home: Path | None) -> str | None:
    """The address of the server of the stack in ``home``, by default the stack of ``TALLOW_HOME`` or of this
    user. None: it does not run.

    Raises:
        click.ClickException: one line about a folder that cannot be read.
    """
    from tallow.stack.engines.address import server_url
    from tallow.stack.engines.home import Home, HomeError

    try:
        return server_url(Home.at(home))
    except ModuleNotFoundError as error:
        raise click.ClickException(f"--home needs {error.name}; install tallow[stack]") from None
    except HomeError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
