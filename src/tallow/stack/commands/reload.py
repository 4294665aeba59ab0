"""``tallow reload``: bring changed settings into effect, and say what each service did with them."""

from __future__ import annotations

import os

import click

from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.reload import apply
from tallow.stack.engines.reload.apply import ReloadResult
from tallow.stack.engines.state.state_dir import StateDir


@click.command("reload")
@home_option
def command(home: StateDir) -> None:
    """Read settings and .env again and have the running services use them.

    Everything is checked before anything is written: a setting that cannot be used is told in one line and
    changes nothing. Prometheus and Alertmanager read their configuration without a pause; Tallow and the
    heartbeat checker are restarted if a setting of theirs changed, which breaks transfers under way. A
    service that refuses the change takes all of it back.

    Variables of the environment of `tallow up` stay in effect. Those of this command's environment are added;
    an empty one takes the variable away.
    """
    again = command_line(home, "reload")
    try:
        done = apply.reload(require_stack(home), os.environ, lambda line: click.echo(line, err=True))
    except KeyboardInterrupt:
        click.echo(f"\ninterrupted; so that every service uses the same settings, repeat: {again}", err=True)
        raise
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    for line in _lines(done, home):
        click.echo(line)


def _lines(done: ReloadResult, home: StateDir) -> list[str]:
    """What a reload did, for people."""
    lines = [f"changed: {name}" for name in done.variables]
    lines += [f"written: {path.relative_to(home.root)}" for path in done.files]
    lines += [f"{name}: uses the new configuration" for name in done.reread]
    lines += [f"{name}: restarted" for name in done.restarted]
    if not lines:
        return ["nothing has changed; every service uses the present settings"]
    lines += [f"{name}: stopped; it uses the change when it is started" for name in done.held]
    return [*lines, f"reloaded; see: {command_line(home, 'status')}"]
