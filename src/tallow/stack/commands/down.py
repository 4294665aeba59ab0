"""``tallow down``: stop a stack; its data is kept unless ``--purge`` is given."""

from __future__ import annotations

import sys
from typing import Final

import click

from tallow.stack.commands.options import home_option, require_services
from tallow.stack.commands.output.terminal import printable
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.docker import lifecycle as docker_lifecycle
from tallow.stack.engines.docker.choice import is_docker
from tallow.stack.engines.docker.client import CHANGE_S
from tallow.stack.engines.docker.project import EVERY_NAME, project
from tallow.stack.engines.native import lifecycle
from tallow.stack.engines.native.purge import PurgeResult, purge
from tallow.stack.engines.services.control import hold
from tallow.stack.engines.state.marker import FolderKind, folder_kind
from tallow.stack.engines.state.state_dir import StateDir, StateDirError

MAX_NAMED: Final = 5
"""How many kept entries are named after a purge; the others are counted."""


@click.command("down")
@click.argument("services", nargs=-1, type=click.Choice(EVERY_NAME), metavar="[SERVICE]...")
@click.option("--purge", "purging", is_flag=True, help="Remove data, logs and credentials as well.")
@click.option("--yes", is_flag=True, help="Purge without asking. Without a terminal --purge never asks.")
@home_option
def command(services: tuple[str, ...], purging: bool, yes: bool, home: StateDir) -> None:
    """Stop SERVICES until the next `up`, by default all of them.

    --purge removes what the stack made in its folder, by name. Other files in the folder stay, and so do the
    transfers that `send` and `receive` can resume. On a terminal it asks first.
    """
    if services and purging:
        raise click.UsageError("--purge removes everything; give no names of services")
    if services:
        _stop_services(home, services)
        return
    if not _is_stack(home, purging=purging):
        click.echo(f"nothing to stop in {printable(str(home.root))}")
        return
    if purging and not yes and sys.stdin.isatty():
        _confirm_purge(home)
    _stop(home, purging=purging)
    if purging:
        _show_purge(home, purge(home))
    else:
        click.echo(f"stopped; data is kept in {printable(str(home.root))} (--purge removes it)")


def _stop_services(home: StateDir, services: tuple[str, ...]) -> None:
    require_services(home, services)
    if is_docker(home):
        project(home).compose("stop", *services, seconds=CHANGE_S)
    else:
        hold(home, services)
    click.echo(f"stopped: {', '.join(services)}; start again with: {command_line(home, 'up')}")


def _stop(home: StateDir, *, purging: bool) -> None:
    if is_docker(home):
        (docker_lifecycle.remove if purging else docker_lifecycle.stop)(home)
    else:
        lifecycle.stop(home)


def _is_stack(home: StateDir, *, purging: bool) -> bool:
    """Whether there is a stack to stop.

    Raises:
        StateDirError: the folder to purge is no state folder.
    """
    kind = folder_kind(home.root)
    if purging and kind is FolderKind.FOREIGN:
        raise StateDirError(f"{home.root} is not the state folder of a Tallow stack; nothing was removed")
    return kind is FolderKind.STATE


def _confirm_purge(home: StateDir) -> None:
    """Ask whether to purge.

    Raises:
        click.Abort: the answer is no.
    """
    folder = printable(str(home.root))
    click.echo(
        f"This stops the stack in {folder} and removes its data, logs, configuration and credentials.",
        err=True,
    )
    click.confirm("Remove them?", abort=True, err=True)


def _show_purge(home: StateDir, result: PurgeResult) -> None:
    folder = printable(str(home.root))
    click.echo("stopped; everything of the stack removed")
    if result.foreign:
        names = ", ".join(printable(str(path)) for path in result.foreign[:MAX_NAMED])
        more = len(result.foreign) - MAX_NAMED
        click.echo(
            f"kept in {folder}, not made by the stack: {names}" + (f" and {more} more" if more > 0 else "")
        )
    if result.has_transfers:
        click.echo(f"kept in {folder}: transfers that can be resumed")
