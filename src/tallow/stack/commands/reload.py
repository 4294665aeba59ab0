"""``tallow reload``: apply changed settings, and show what each service did."""

from __future__ import annotations

import os

import click

from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.up import network_hints
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.docker import reload as docker_reload
from tallow.stack.engines.docker.choice import is_docker
from tallow.stack.engines.reload import apply
from tallow.stack.engines.reload.apply import ReloadResult
from tallow.stack.engines.state.state_dir import StateDir


@click.command("reload")
@home_option
def command(home: StateDir) -> None:
    """Read settings and .env again and have the running services use them.

    Everything is checked before anything is written: an invalid setting is reported in one line and changes
    nothing. Prometheus and Alertmanager read their configuration without an interruption. Tallow and the
    heartbeat checker are restarted if one of their settings changed, which breaks transfers under way. If a
    service rejects the change, all of it is undone.

    Variables of the environment of `tallow up` stay in effect. Those of this command's environment are added;
    an empty one removes the variable. Proxies and certificates (SSL_CERT_FILE) are those of `tallow up`.
    """
    again = command_line(home, "reload")
    try:
        reload = docker_reload.reload if is_docker(require_stack(home)) else apply.reload
        result = reload(home, os.environ, lambda line: click.echo(line, err=True))
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted; so that every service uses the same settings, repeat: {again}", err=True)
        raise
    hints = [] if is_docker(home) else network_hints(home)
    for note in (*result.notes, *hints):
        click.echo(f"note: {note}", err=True)
    for line in _lines(result, home):
        click.echo(line)


def _lines(result: ReloadResult, home: StateDir) -> list[str]:
    """The lines that describe a reload."""
    lines = [f"changed: {name}" for name in result.variables]
    lines += [f"written: {path.relative_to(home.root)}" for path in result.files]
    lines += [f"{name}: uses the new configuration" for name in result.reread]
    lines += [f"{name}: restarted" for name in result.restarted]
    if not lines:
        return ["nothing has changed; every service uses the present settings"]
    lines += [f"{name}: stopped; it uses the change when it is started" for name in result.held]
    return [*lines, f"reloaded; see: {command_line(home, 'status')}"]
