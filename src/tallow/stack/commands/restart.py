"""``tallow restart``: end services and start them again at once."""

from __future__ import annotations

import click

from tallow.stack.commands.options import existing, home_option
from tallow.stack.engines.home import Home
from tallow.stack.engines.restart import restart
from tallow.stack.engines.services import NAMES


@click.command("restart")
@click.argument("services", nargs=-1, required=True, type=click.Choice(NAMES), metavar="SERVICE...")
@home_option
def command(services: tuple[str, ...], home: Home) -> None:
    """Restart SERVICES, even such as hang. Those that `down` stopped stay down.

    A restart of Tallow breaks the transfers under way.
    """
    restarted = restart(existing(home), services, "tallow restart")
    held = [name for name in services if name not in restarted]
    if restarted:
        click.echo(f"restarted: {', '.join(restarted)}; see: tallow status")
    if held:
        raise click.ClickException(f"not running: {', '.join(held)}; start with: tallow up")
