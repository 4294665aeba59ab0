"""``tallow open``: a page of the stack in the browser."""

from __future__ import annotations

import click

from tallow.stack.commands.options import existing, home_option
from tallow.stack.engines.home import Home
from tallow.stack.engines.services import SERVICES, ports

_PAGES = {service.name: service for service in SERVICES if service.page}


@click.command("open")
@click.argument("service", default="tallow", type=click.Choice(list(_PAGES)))
@home_option
def command(service: str, home: Home) -> None:
    """Open the page of SERVICE in the browser, and print its address."""
    port = ports(existing(home).choices().port_offset)[service]
    address = f"http://localhost:{port}{_PAGES[service].page}"
    click.echo(address)
    if click.launch(address) != 0:
        click.echo("no browser could be started here; open the address yourself", err=True)
