"""``tallow status``: what runs, whether it is healthy, and who is told when it is not."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from tallow.stack.commands.hints import command_line
from tallow.stack.commands.options import existing, home_option
from tallow.stack.commands.table import addresses, heartbeat, paging, services_table
from tallow.stack.engines import configuration, native, plan
from tallow.stack.engines.home import Home
from tallow.stack.heartbeat.record import Record


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@home_option
def command(as_json: bool, home: Home) -> None:
    """Show the services. Exits with 1 if one is not healthy, with 3 if nothing runs."""
    existing(home)
    supervisor = plan.supervisor(home)
    report = plan.read_report(home)
    health = native.health(home)
    if as_json:
        services = {
            name: {**asdict(answer), **asdict(report.services.get(name, plan.Running()))}
            for name, answer in health.items()
        }
        beat = Record.read(home.data / "heartbeat") or Record()
        told = {"supervisor": supervisor, "services": services, "heartbeat": asdict(beat)}
        click.echo(json.dumps(told, indent=2))
    else:
        _show(home, supervisor, services_table(home, health))
    if supervisor is None:
        raise SystemExit(3)
    if not all(answer.healthy for answer in health.values()):
        raise SystemExit(1)


def _show(home: Home, supervisor: int | None, table: object) -> None:
    console = Console(highlight=False)
    choices = home.choices()
    if supervisor is None:
        left = [name for name, running in plan.read_report(home).services.items() if running.process()]
        if not left:
            console.print(f"nothing runs; start it with: {command_line(home, 'up')}", soft_wrap=True)
            return
        console.print(
            f"[bold red]the supervisor is gone; {', '.join(left)} run on unwatched. "
            f"Start it again with: {command_line(home, 'up')}[/]",
            soft_wrap=True,
        )
    console.print(table)
    console.print(addresses(home, choices.port_offset), soft_wrap=True)
    console.print(heartbeat(home))
    console.print(paging(configuration.load_settings(Path(choices.env_folder)).alerts))
