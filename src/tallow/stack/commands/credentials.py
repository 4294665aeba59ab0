"""``tallow credentials``: show or rotate the passwords and tokens of the stack."""

from __future__ import annotations

import click

from tallow.stack import credentials
from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.output.terminal import printable
from tallow.stack.engines.docker import lifecycle, reload
from tallow.stack.engines.docker.choice import is_docker
from tallow.stack.engines.reload.apply import RotationResult, apply_rotation
from tallow.stack.engines.state.state_dir import StateDir


@click.command("credentials")
@click.argument("action", required=False, type=click.Choice(["rotate"]))
@home_option
def command(action: str | None, home: StateDir) -> None:
    """Show the credentials; `rotate` makes new ones and has the running services use them."""
    require_stack(home)
    if action == "rotate":
        credentials.rotate(home.secrets)
        if _apply_rotation(home).keeps_metrics_token:
            click.echo("note: METRICS_TOKEN is set; the metrics token is not rotated", err=True)
    for credential in credentials.CREDENTIALS:
        value = credentials.read(home.secrets, credential)
        user = f"user {credential.user}, " if credential.user else ""
        click.echo(f"{credential.name}: {value}\n  {user}for {credential.used_for}")
        click.echo(f"  {printable(str(home.secrets / credential.file))}")


def _apply_rotation(home: StateDir) -> RotationResult:
    """Have the running services use the new credentials."""
    if not is_docker(home):
        return apply_rotation(home)
    if not lifecycle.is_running(home):
        return RotationResult()
    return reload.apply_rotation(home)
