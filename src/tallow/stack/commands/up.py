"""``tallow up``: start Tallow and its monitoring, and wait until every part is healthy."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from tallow.stack.commands.options import home_option
from tallow.stack.commands.output.services import ServicesTable
from tallow.stack.commands.output.summary import address_list, notification_summary
from tallow.stack.commands.output.terminal import new_console
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.logs.reader import last_lines
from tallow.stack.engines.native import lifecycle, upgrade
from tallow.stack.engines.reload.apply import has_pending_changes
from tallow.stack.engines.reload.candidate import Candidate
from tallow.stack.engines.reload.snapshot import running_settings
from tallow.stack.engines.services.service_state import service_states, unhealthy
from tallow.stack.engines.state.state_dir import LIVENESS_TIMEOUT_S, StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files

HEALTHY_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.25
GIVES_UP_AFTER: Final = 4
"""Restarts before health: what fails so often will not mend itself."""


@click.command("up")
@click.option(
    "--port-offset",
    type=click.IntRange(0, 50_000),
    help="Added to every port; 10000 is a good step for a second stack. By default as the last time, or 0.",
)
@click.option(
    "--liveness-timeout",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Restart a service that has not answered for so long; 0: never. By default as the last time, or "
    f"{LIVENESS_TIMEOUT_S:.0f}. A stack that runs already takes it over.",
)
@click.option("--scale", type=click.FloatRange(0, 1, min_open=True), default=1.0, hidden=True)
@click.option("--restart", is_flag=True, help="Restart a stack that runs older code or programs.")
@home_option
def command(
    port_offset: int | None, liveness_timeout: float | None, scale: float, restart: bool, home: StateDir
) -> None:
    """Start Tallow and its monitoring; what runs already is left alone.

    Settings come from the environment and from .env in the current folder. All of them are checked before
    anything is written or started. After an upgrade it says that older code still runs, and on a terminal
    asks whether to restart the stack.
    """
    console = new_console()
    before = home.options()
    options = StackOptions(
        before.port_offset if port_offset is None else port_offset,
        str(Path.cwd()),
        scale,
        liveness_timeout=before.liveness_timeout if liveness_timeout is None else liveness_timeout,
    )

    def progress(line: str) -> None:
        console.print(Text(line, "dim"), soft_wrap=True)

    outdated = upgrade.outdated(home, progress)
    if outdated and (restart or _wants_a_restart(outdated)):
        candidate = upgrade.restart_stack(home, options, progress)
        outdated = []
    else:
        candidate = lifecycle.start(home, options, progress)
    for note in candidate.notes:
        console.print(Text(f"note: {note}", "yellow"), soft_wrap=True)
    try:
        wait_until_healthy(home, console)
    except KeyboardInterrupt:
        click.echo(f"\nwhat was started runs on; to stop it: {command_line(home, 'down')}", err=True)
        raise
    options = home.options()
    console.print(address_list(home, options.port_offset), soft_wrap=True)
    console.print(notification_summary(running_settings(home).alerts))
    for text in _hints(home, candidate, outdated):
        console.print(Text(text, "yellow"), soft_wrap=True)


def _wants_a_restart(outdated: list[str]) -> bool:
    """Ask a person, if there is one."""
    if not sys.stdin.isatty():
        return False
    click.echo("\n".join(["the running stack is older than what is here:", *outdated]), err=True)
    return click.confirm("Restart it now? Transfers under way break.", err=True)


def _hints(home: StateDir, candidate: Candidate, outdated: list[str]) -> list[str]:
    """What is here and not in use yet, and how to use it."""
    hints = []
    if outdated:
        restart = command_line(home, "up", "--restart")
        hints = [*outdated, f"the running stack is older than what is here; to restart it: {restart}"]
    if has_pending_changes(home, candidate):
        reload = command_line(home, "reload")
        hints.append(f"settings have changed since it was started; to use them: {reload}")
    return hints


def wait_until_healthy(home: StateDir, console: Console) -> None:
    """Watch the services until each can work, with a line for each.

    Raises:
        StackError: one does not come up; its last log lines with it.
    """
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    with Live(console=console, refresh_per_second=8, transient=not console.is_terminal) as live:
        while True:
            states = service_states(home)
            live.update(ServicesTable(home, states), refresh=True)
            waiting = unhealthy(states)
            if not waiting:
                break
            if failing := _hopeless(home, waiting, deadline):
                raise StackError(_report(home, failing))
            time.sleep(LOOK_EVERY_S)
    if not console.is_terminal:
        console.print(ServicesTable(home, states))


def _hopeless(home: StateDir, waiting: list[str], deadline: float) -> list[str]:
    """The services, of those that are not healthy yet, that will not come up."""
    if time.monotonic() > deadline:
        return waiting
    services = state_files.read_status(home).services
    return [name for name in waiting if name in services and services[name].restarts >= GIVES_UP_AFTER]


def _report(home: StateDir, failing: list[str]) -> str:
    parts = []
    for name in failing:
        lines = last_lines(home.logs / f"{name}.log", 5) or ["(it wrote nothing)"]
        parts.append(
            "\n".join([f"{name} does not come up; it last wrote:", *(f"  {line}" for line in lines)])
        )
    more, stop = command_line(home, "logs", *failing), command_line(home, "down")
    return "\n".join([*parts, "the rest runs on", f"more: {more}", f"stop: {stop}"])
