"""``tallow status``: what runs, whether it is healthy, and who is notified if it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import click
from rich.console import Console

from tallow.stack.commands.docker_status import show_containers
from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.output.services import native_table
from tallow.stack.commands.output.summary import address_list, heartbeat_status, notification_summary
from tallow.stack.commands.output.terminal import new_console, printable_text
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.docker.choice import is_docker
from tallow.stack.engines.native import upgrade
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

    Exits with 1 if a service is not healthy, with 3 if nothing runs or the supervisor has ended.
    """
    if is_docker(require_stack(home)):
        show_containers(home, as_json=as_json)
        return
    supervisor = state_files.supervisor_pid(home)
    states = service_states(home)
    if as_json:
        click.echo(json.dumps(_to_json(home, supervisor, states), indent=2))
    else:
        _show(new_console(), home, supervisor, states)
    if supervisor is None:
        raise SystemExit(3)
    if unhealthy(states):
        raise SystemExit(1)


def _to_json(home: StateDir, supervisor: int | None, states: Mapping[str, ServiceState]) -> dict[str, object]:
    status = state_files.read_status(home)
    services = {
        name: {
            "healthy": state.is_healthy,
            "why": state.detail,
            **asdict(status.services.get(name, state_files.ProcessStatus())),
        }
        for name, state in states.items()
    }
    heartbeat = HeartbeatState.read(home.data / "heartbeat") or HeartbeatState()
    return {
        "supervisor": supervisor,
        "services": services,
        "heartbeat": {
            "state": heartbeat.state,
            "since": heartbeat.since,
            "last_beat": heartbeat.last_beat,
            "reason": heartbeat.reason,
            "untold": heartbeat.to_notify,
        },
    }


def _show(
    console: Console, home: StateDir, supervisor: int | None, states: Mapping[str, ServiceState]
) -> None:
    if supervisor is None:
        services = state_files.read_status(home).services
        orphans = [name for name, status in services.items() if status.process()]
        up = command_line(home, "up")
        if not orphans:
            console.print(printable_text(f"nothing runs; start it with: {up}"), soft_wrap=True)
            return
        text = f"the supervisor has ended; {', '.join(orphans)} run without it. Start it again with: {up}"
        console.print(printable_text(text, "bold red"), soft_wrap=True)
    console.print(native_table(home, states))
    _show_hints(console, home, states)
    console.print(address_list(home, home.options().port_offset), soft_wrap=True)
    console.print(heartbeat_status(home))
    console.print(notification_summary(running_settings(home).alerts))


def _show_hints(console: Console, home: StateDir, states: Mapping[str, ServiceState]) -> None:
    """Show what to do about services that fail, and about a stack that runs older code."""
    if failing := [name for name in unhealthy(states) if states[name].name in {"failing", "ended"}]:
        logs = command_line(home, "logs", *failing, "supervisor", "--since", "15m")
        console.print(printable_text(f"more: {logs}"), soft_wrap=True)
    if outdated := upgrade.outdated_code(home):
        restart = command_line(home, "up", "--restart")
        text = "\n".join(
            [*outdated, f"services may fail when they are restarted; restart the stack: {restart}"]
        )
        console.print(printable_text(text, "yellow"), soft_wrap=True)
