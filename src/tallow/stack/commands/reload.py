"""``tallow reload``: bring changed settings into effect."""

from __future__ import annotations

import click

from tallow.stack.commands.options import existing, home_option
from tallow.stack.engines import native
from tallow.stack.engines.home import Home


@click.command("reload")
@home_option
def command(home: Home) -> None:
    """Read settings and .env again and have the running services use them.

    Prometheus and Alertmanager read their new configuration without a pause; Tallow is started again, which
    breaks transfers under way. A bad setting changes nothing.
    """
    changed = native.reload(existing(home))
    for path in changed:
        click.echo(f"changed: {path.relative_to(home.root)}")
    click.echo("reloaded; see: tallow status")
