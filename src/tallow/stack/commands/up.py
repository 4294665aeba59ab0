"""``tallow up``: start Tallow and its monitoring, and wait until every service is healthy."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from tallow.stack.commands.docker_up import start_containers
from tallow.stack.commands.options import home_option
from tallow.stack.commands.output.services import native_table
from tallow.stack.commands.output.summary import address_list, notification_summary
from tallow.stack.commands.output.terminal import new_console, printable_text
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.docker.choice import CHOICES, EngineChoice, choose_engine
from tallow.stack.engines.docker.project import PROFILES
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
POLL_S: Final = 0.25
MAX_RESTARTS: Final = 4
"""A service that was restarted this often before it was healthy has failed."""


@click.command("up")
@click.option(
    "--port-offset",
    type=click.IntRange(0, 50_000),
    help="Added to every port, such as 10000 for a second stack. By default as the last time, or 0.",
)
@click.option(
    "--liveness-timeout",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Restart a service that has not answered for this long; 0: never. By default as the last time, or "
    f"{LIVENESS_TIMEOUT_S:.0f}. It also applies to a running stack.",
)
@click.option(
    "--engine",
    "choice",
    type=click.Choice(CHOICES),
    default="auto",
    show_default=True,
    help="docker: containers; native: programs of this machine; auto: docker if a daemon answers and Compose "
    "v2 is there. A stack keeps its engine.",
)
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    type=click.Choice(PROFILES),
    help="With the Docker engine: also start Loki and the Collector (logs), Loki and Promtail (promtail), or "
    "coturn (turn). By default as the last time.",
)
@click.option(
    "--no-start", is_flag=True, help="With the Docker engine: write secrets and configuration, start nothing."
)
@click.option("--scale", type=click.FloatRange(0, 1, min_open=True), default=1.0, hidden=True)
@click.option("--restart", is_flag=True, help="Restart a running stack, with the present code and programs.")
@home_option
def command(
    port_offset: int | None,
    liveness_timeout: float | None,
    choice: EngineChoice,
    profiles: tuple[str, ...],
    no_start: bool,
    scale: float,
    restart: bool,
    home: StateDir,
) -> None:
    """Start Tallow and its monitoring; what runs already is left alone.

    Settings come from the environment and from .env in the current folder. All of them are checked before
    anything is written or started. After an upgrade it says that older code still runs, and on a terminal
    asks whether to restart the stack.
    """
    console = new_console()
    previous = home.options()
    options = StackOptions(
        previous.port_offset if port_offset is None else port_offset,
        str(Path.cwd()),
        scale,
        liveness_timeout=previous.liveness_timeout if liveness_timeout is None else liveness_timeout,
        engine=choose_engine(choice, home),
        profiles=profiles or previous.profiles,
    )
    if options.engine == "docker":
        start_containers(home, options, console, restart=restart, no_start=no_start)
        return
    if no_start or profiles:
        raise click.UsageError("--no-start and --profile are for the Docker engine")
    _start_programs(home, options, console, restart=restart)


def _start_programs(home: StateDir, options: StackOptions, console: Console, *, restart: bool) -> None:
    """Start a native stack, and show what runs."""

    def progress(line: str) -> None:
        console.print(printable_text(line, "dim"), soft_wrap=True)

    outdated = upgrade.outdated(home, progress)
    is_running = state_files.supervisor_pid(home) is not None
    if is_running and (restart or _confirms_restart(outdated)):
        candidate = upgrade.restart_stack(home, options, progress)
        outdated = []
    else:
        candidate = lifecycle.start(home, options, progress)
    for note in candidate.notes:
        console.print(printable_text(f"note: {note}", "yellow"), soft_wrap=True)
    _wait(home, console, outdated)
    console.print(address_list(home, home.options().port_offset), soft_wrap=True)
    console.print(notification_summary(running_settings(home).alerts))
    for hint in _hints(home, candidate, outdated):
        console.print(printable_text(hint, "yellow"), soft_wrap=True)


def _confirms_restart(outdated: list[str]) -> bool:
    """Ask for a restart, on a terminal only."""
    if not outdated or not sys.stdin.isatty():
        return False
    click.echo("\n".join(["the running stack is older than what is here:", *outdated]), err=True)
    return click.confirm("Restart it now? Transfers under way break.", err=True)


def _wait(home: StateDir, console: Console, outdated: list[str]) -> None:
    """Wait until every service is healthy. If one fails, also show that the stack runs older code.

    Raises:
        StackError: a service does not start.
    """
    try:
        wait_until_healthy(home, console)
    except KeyboardInterrupt:
        down = command_line(home, "down")
        click.echo(f"\nthe services that were started keep running; to stop them: {down}", err=True)
        raise
    except StackError as error:
        raise StackError("\n".join([str(error), *_outdated_hints(home, outdated)])) from None


def _hints(home: StateDir, candidate: Candidate, outdated: list[str]) -> list[str]:
    """New code, programs and settings that the running stack does not use yet."""
    hints = _outdated_hints(home, outdated)
    if has_pending_changes(home, candidate):
        reload = command_line(home, "reload")
        hints.append(f"settings have changed since it was started; to use them: {reload}")
    return [*hints, *network_hints(home)]


def network_hints(home: StateDir) -> list[str]:
    """A line if a running stack uses other proxies or certificates than this environment names."""
    names = upgrade.other_network_variables(home, os.environ)
    restart = command_line(home, "up", "--restart")
    return [f"{', '.join(names)}: not what the running stack uses; to use it: {restart}"] if names else []


def _outdated_hints(home: StateDir, outdated: list[str]) -> list[str]:
    if not outdated:
        return []
    restart = command_line(home, "up", "--restart")
    return [*outdated, f"the running stack is older than what is here; to restart it: {restart}"]


def wait_until_healthy(home: StateDir, console: Console) -> None:
    """Show the services until each is healthy.

    Raises:
        StackError: a service does not start; the text has its last log lines.
    """
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    with Live(console=console, refresh_per_second=8, transient=not console.is_terminal) as live:
        while True:
            states = service_states(home)
            live.update(native_table(home, states), refresh=True)
            waiting = unhealthy(states)
            if not waiting:
                break
            if failed := _failed(home, waiting, deadline):
                raise StackError(_describe_failure(home, failed))
            time.sleep(POLL_S)
    if not console.is_terminal:
        console.print(native_table(home, states))


def _failed(home: StateDir, waiting: list[str], deadline: float) -> list[str]:
    """The services, of those that are not healthy yet, that have failed."""
    if time.monotonic() > deadline:
        return waiting
    services = state_files.read_status(home).services
    return [name for name in waiting if name in services and services[name].restarts >= MAX_RESTARTS]


def _describe_failure(home: StateDir, failed: list[str]) -> str:
    parts = []
    for name in failed:
        lines = last_lines(home.logs / f"{name}.log", 5) or ["(its log is empty)"]
        parts.append(
            "\n".join([f"{name} does not start; its last log lines:", *(f"  {line}" for line in lines)])
        )
    logs, down = command_line(home, "logs", *failed), command_line(home, "down")
    return "\n".join([*parts, "the other services keep running", f"more: {logs}", f"stop: {down}"])
