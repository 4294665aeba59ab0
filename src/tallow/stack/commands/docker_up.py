"""`tallow up` with the Docker engine."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from tallow.stack.commands.output.containers import container_addresses, container_states, containers_table
from tallow.stack.commands.output.summary import notification_summary
from tallow.stack.commands.output.terminal import printable_text
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.docker import layout, lifecycle
from tallow.stack.engines.docker.containers import Container, containers
from tallow.stack.engines.docker.failure import describe_failure
from tallow.stack.engines.docker.project import project
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.reload.snapshot import running_settings
from tallow.stack.engines.services.service_state import unhealthy
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

HEALTHY_WITHIN_S: Final = 180.0
POLL_S: Final = 0.5
MAX_RESTARTS: Final = 2
"""A container that was restarted this often before it was healthy has failed."""


def start_containers(
    home: StateDir, options: StackOptions, console: Console, *, restart: bool, no_start: bool
) -> None:
    """Start a stack of containers and wait until each is healthy.

    Args:
        home: the stack's folder.
        options: the options of `up`.
        console: for the table of services.
        restart: build Tallow's image again, and make every container anew.
        no_start: only write secrets and configuration.

    Raises:
        StackError: a container does not start; one line about each.
    """

    def progress(line: str) -> None:
        console.print(printable_text(line, "dim"), soft_wrap=True)

    if no_start:
        _show_notes(console, lifecycle.prepare(home, options, progress).notes)
        command = " ".join(("docker", *project(home).command("up", "--wait")[1:]))
        click.echo(f"written to {layout.compose_file(home).parent}; to start it: {command}")
        return
    started = (lifecycle.restart if restart else lifecycle.start)(home, options, progress)
    _show_notes(console, started.candidate.notes)
    _wait_until_healthy(home, console)
    console.print(container_addresses(home), soft_wrap=True)
    console.print(notification_summary(running_settings(home).alerts))
    if started.is_pending:
        reload = command_line(home, "reload")
        text = f"settings or Tallow's version have changed since it was started; to use them: {reload}"
        console.print(printable_text(text, "yellow"), soft_wrap=True)


def _show_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(printable_text(f"note: {note}", "yellow"), soft_wrap=True)


def _wait_until_healthy(home: StateDir, console: Console) -> None:
    """Show the services until each is healthy.

    Raises:
        StackError: a container does not start.
    """
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    with Live(console=console, refresh_per_second=4, transient=not console.is_terminal) as live:
        while True:
            found = containers(project(home))
            live.update(containers_table(home, found), refresh=True)
            waiting = unhealthy(container_states(home, found))
            if not waiting:
                break
            if failed := _failed(found, waiting, deadline):
                raise StackError(_describe(home, found, failed))
            time.sleep(POLL_S)
    if not console.is_terminal:
        console.print(containers_table(home, found))


def _failed(found: Mapping[str, Container], waiting: list[str], deadline: float) -> list[str]:
    """The services, of those that are not healthy yet, that have failed."""
    if time.monotonic() > deadline:
        return waiting
    return [
        name
        for name in waiting
        if name in found
        and (found[name].restarts >= MAX_RESTARTS or found[name].error or found[name].health == "unhealthy")
    ]


def _describe(home: StateDir, found: Mapping[str, Container], failed: list[str]) -> str:
    lines = [describe_failure(found[name]) if name in found else f"{name} was not started" for name in failed]
    logs, down = command_line(home, "logs", *failed), command_line(home, "down")
    return "\n".join([*lines, f"more: {logs}", f"stop: {down}"])
