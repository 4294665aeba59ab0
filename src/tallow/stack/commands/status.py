"""``tallow status``: what runs, whether it is healthy, and who is notified when it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import click

from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.output.services import ServicesTable
from tallow.stack.commands.output.summary import address_list, heartbeat_status, notification_summary
from tallow.stack.commands.output.terminal import new_console
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.reload.snapshot import running_settings
from tallow.stack.engines.services.service_state import ServiceState, service_states, unhealthy
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.heartbeat.state import HeartbeatState


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@home_option
def command(as_json: bool, home: StateDir) -> None:
    """Show the services: their states, and what happened where one failed.

    Exits with 1 if a service is not healthy, with 3 if nothing runs or the supervisor is gone.
    """
    require_stack(home)
    supervisor = state_files.supervisor_pid(home)
    states = service_states(home)
    if as_json:
        click.echo(json.dumps(_facts(home, supervisor, states), indent=2))
    else:
        _show(home, supervisor, states)
    if supervisor is None:
        raise SystemExit(3)
    if unhealthy(states):
        raise SystemExit(1)


def _facts(home: StateDir, supervisor: int | None, states: Mapping[str, ServiceState]) -> dict[str, object]:
    report = state_files.read_status(home)
    services = {
        name: {
            "healthy": state.is_healthy,
            "why": state.detail,
            **asdict(report.services.get(name, state_files.ProcessStatus())),
        }
        for name, state in states.items()
    }
    beat = HeartbeatState.read(home.data / "heartbeat") or HeartbeatState()
    return {"supervisor": supervisor, "services": services, "heartbeat": asdict(beat)}


def _show(home: StateDir, supervisor: int | None, states: Mapping[str, ServiceState]) -> None:
    console = new_console()
    options = home.options()
    if supervisor is None:
        left = [name for name, running in state_files.read_status(home).services.items() if running.process()]
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
    console.print(address_list(home, options.port_offset), soft_wrap=True)
    console.print(heartbeat_status(home))
    console.print(notification_summary(running_settings(home).alerts))
