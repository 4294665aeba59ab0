"""``tallow completion``: print a script that completes `tallow` commands in bash, zsh or fish."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

SHELLS: Final = ("bash", "zsh", "fish")
PROGRAM: Final = "tallow"
VARIABLE: Final = "_TALLOW_COMPLETE"
"""Set by the script when it requests completions; click derives the name from the program's."""


@click.command("completion")
@click.argument("shell", required=False, type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str | None) -> None:
    """Print the script that completes `tallow` in SHELL, by default the shell of the variable SHELL.

    \b
    bash  eval "$(tallow completion bash)"    in ~/.bashrc
    zsh   eval "$(tallow completion zsh)"     in ~/.zshrc, after compinit
    fish  tallow completion fish > ~/.config/fish/completions/tallow.fish
    """
    shell = shell or Path(os.environ.get("SHELL", "")).name
    completion_class = get_completion_class(shell) if shell in SHELLS else None
    if completion_class is None:
        raise click.UsageError(f"name the shell; accepted: {', '.join(SHELLS)}")
    click.echo(completion_class(context.find_root().command, {}, PROGRAM, VARIABLE).source())
