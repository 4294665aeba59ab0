"""`tallow status` with the Docker engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click
from rich.text import Text

from tallow.stack.commands.output.containers import container_addresses, container_states, containers_table
from tallow.stack.commands.output.summary import notification_summary
from tallow.stack.commands.output.terminal import new_console, printable_text
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.docker.containers import Container, containers
from tallow.stack.engines.docker.memory import memory_used
from tallow.stack.engines.docker.project import project
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.reload.snapshot import running_settings
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.service_state import ServiceState, format_age, unhealthy
from tallow.stack.engines.state.state_dir import StateDir


def show_containers(home: StateDir, *, as_json: bool) -> None:
    """Show the containers. Exits with 1 if one is not healthy, with 3 if none runs."""
    found = containers(project(home))
    states = container_states(home, found)
    runs = any(one.is_running or one.has_failed for one in found.values())
    if as_json:
        services = {name: _to_json(state, found.get(name)) for name, state in states.items()}
        click.echo(
            json.dumps({"engine": "docker", "services": services, "heartbeat": _heartbeat(home)}, indent=2)
        )
    elif not runs:
        click.echo(f"nothing runs; start it with: {command_line(home, 'up')}")
    else:
        _print_containers(home, found, states)
    if not runs:
        raise SystemExit(3)
    if unhealthy(states):
        raise SystemExit(1)


def _print_containers(
    home: StateDir, found: Mapping[str, Container], states: Mapping[str, ServiceState]
) -> None:
    console = new_console()
    console.print(containers_table(home, found, memory_used(found)))
    if failing := [name for name in unhealthy(states) if states[name].name in {"failing", "ended"}]:
        logs = command_line(home, "logs", *failing, "--since", "15m")
        console.print(printable_text(f"more: {logs}"), soft_wrap=True)
    console.print(container_addresses(home), soft_wrap=True)
    console.print(_heartbeat_text(_heartbeat(home)))
    console.print(notification_summary(running_settings(home).alerts))


def _to_json(state: Any, container: Container | None) -> dict[str, object]:
    return {
        "healthy": state.is_healthy,
        "why": state.detail,
        "state": state.name,
        "container": container.id if container else None,
        "since": container.since if container else None,
        "restarts": container.restarts if container else 0,
    }


def _heartbeat(home: StateDir) -> Mapping[str, Any]:
    """The heartbeat checker's own status; empty if it does not answer."""
    try:
        found = Api.of("heartbeat", home).get("/status")
    except (StackError, OSError):
        return {}
    return found if isinstance(found, dict) else {}


def _heartbeat_text(status: Mapping[str, Any]) -> Text:
    if not status:
        return Text("heartbeat: it does not answer", "bold red")
    if status.get("state") == "missing":
        return Text("no heartbeat, alerts are not delivered", "bold red")
    last = status.get("last_beat")
    return (
        Text("heartbeat: none yet", "yellow")
        if last is None
        else Text(f"heartbeat: last beat {format_age(last)} ago", "green")
    )
