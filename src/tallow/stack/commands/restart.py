"""``tallow restart``: restart services and wait until they are healthy."""

from __future__ import annotations

import time
from typing import Final

import click

from tallow.stack.commands.options import home_option, require_services
from tallow.stack.engines.docker.acceptance import restart as restart_containers
from tallow.stack.engines.docker.choice import is_docker
from tallow.stack.engines.docker.project import EVERY_NAME
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.services.control import restart
from tallow.stack.engines.services.service_state import service_states
from tallow.stack.engines.state.state_dir import StateDir

HEALTHY_WITHIN_S: Final = 60.0
POLL_S: Final = 0.25


@click.command("restart")
@click.argument("services", nargs=-1, required=True, type=click.Choice(EVERY_NAME), metavar="SERVICE...")
@home_option
def command(services: tuple[str, ...], home: StateDir) -> None:
    """Restart SERVICES and wait until they are healthy. Those that `down` stopped stay down.

    A restart of Tallow breaks the transfers under way.
    """
    require_services(home, services)
    if is_docker(home):
        restarted = restart_containers(home, services)
    else:
        restarted = restart(home, services, "tallow restart")
        _wait_until_healthy(home, restarted)
    if restarted:
        click.echo(f"restarted and healthy: {', '.join(restarted)}")
    if held := [name for name in services if name not in restarted]:
        raise StackError(f"not running: {', '.join(held)}; start with: tallow up")


def _wait_until_healthy(home: StateDir, names: tuple[str, ...]) -> None:
    """Wait until services are healthy.

    Raises:
        StackError: one is not healthy in time.
    """
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while True:
        states = service_states(home)
        failing = [name for name in names if not states[name].is_healthy]
        if not failing:
            return
        if time.monotonic() > deadline:
            details = "; ".join(f"{name}: {states[name].detail}" for name in failing)
            raise StackError(f"restarted, and not healthy within {HEALTHY_WITHIN_S:.0f} s: {details}")
        time.sleep(POLL_S)
