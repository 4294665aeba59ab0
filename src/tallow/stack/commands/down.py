"""``tallow down``: stop what `up` started; data is kept unless it is told otherwise."""

from __future__ import annotations

import click

from tallow.stack.commands.options import existing, home_option
from tallow.stack.engines import native
from tallow.stack.engines.home import Home
from tallow.stack.engines.services import NAMES


@click.command("down")
@click.argument("services", nargs=-1, type=click.Choice(NAMES), metavar="[SERVICE]...")
@click.option("--purge", is_flag=True, help="Remove data, logs and credentials as well.")
@home_option
def command(services: tuple[str, ...], purge: bool, home: Home) -> None:
    """Stop SERVICES until the next `up`, by default all of them."""
    if services and purge:
        raise click.UsageError("--purge removes everything; it goes without names of services")
    if services:
        native.hold(existing(home), services)
        click.echo(f"stopped: {', '.join(services)}; start again with: tallow up")
        return
    if not home.exists():
        click.echo(f"nothing to stop in {home.root}")
        return
    native.stop(home)
    if purge:
        native.purge(home)
    click.echo("stopped; everything removed" if purge else f"stopped; data is kept in {home.root}")
