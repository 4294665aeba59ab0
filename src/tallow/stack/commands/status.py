"""``tallow status``: what runs, whether it is healthy, and who is notified when it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import click

from tallow.stack.commands.hints import command_line
from tallow.stack.commands.options import existing, home_option
from tallow.stack.commands.services_table import ServicesTable
from tallow.stack.commands.table import addresses, heartbeat, paging
from tallow.stack.commands.terminal import new_console
from tallow.stack.engines import plan
from tallow.stack.engines.home import Home
from tallow.stack.engines.reload.snapshot import running_settings
from tallow.stack.engines.service_state import ServiceState, service_states, unhealthy
from tallow.stack.heartbeat.record import Record


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@home_option
def command(as_json: bool, home: Home) -> None:
    """Show the services: their states, and what happened where one failed.

    Exits with 1 if a service is not healthy, with 3 if nothing runs or the supervisor is gone.
    """
    existing(home)
    supervisor = plan.supervisor(home)
    states = service_states(home)
    if as_json:
        click.echo(json.dumps(_facts(home, supervisor, states), indent=2))
    else:
        _show(home, supervisor, states)
    if supervisor is None:
        raise SystemExit(3)
    if unhealthy(states):
        raise SystemExit(1)


def _facts(home: Home, supervisor: int | None, states: Mapping[str, ServiceState]) -> dict[str, object]:
    report = plan.read_report(home)
    services = {
        name: {
            "healthy": state.is_healthy,
            "why": state.detail,
            **asdict(report.services.get(name, plan.Running())),
        }
        for name, state in states.items()
    }
    beat = Record.read(home.data / "heartbeat") or Record()
    return {"supervisor": supervisor, "services": services, "heartbeat": asdict(beat)}


def _show(home: Home, supervisor: int | None, states: Mapping[str, ServiceState]) -> None:
    console = new_console()
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
    console.print(ServicesTable(home, states))
    if failing := [name for name in unhealthy(states) if states[name].name in {"failing", "ended"}]:
        more = command_line(home, "logs", *failing, "supervisor", "--since", "15m")
        console.print(f"more: {more}", soft_wrap=True)
    console.print(addresses(home, choices.port_offset), soft_wrap=True)
    console.print(heartbeat(home))
    console.print(paging(running_settings(home).alerts))
