"""``tallow settings``: defaults of ``send`` and ``receive``."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from tallow.app.peer.preferences import PREFERENCES, Preferences, UnknownPreferenceError


@click.command("settings")
@click.argument("name", required=False)
@click.argument("value", required=False)
@click.option("--reset", is_flag=True, help="Set NAME back to its default.")
def command(name: str | None, value: str | None, reset: bool) -> None:
    """Show all settings, show one (NAME), or change one (NAME VALUE)."""
    preferences = Preferences.load()
    if name is None:
        Console().print(_table(preferences))
        return
    if name not in PREFERENCES:
        raise click.UsageError(f"unknown setting; accepted: {', '.join(PREFERENCES)}")
    if reset and value is not None:
        raise click.UsageError("--reset takes no VALUE")
    if value is None and not reset:
        click.echo(preferences[name])
        return
    try:
        preferences.change(name, value)
    except UnknownPreferenceError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"settings cannot be written: {error.strerror}") from None
    click.echo(f"{name}: {preferences[name]}")


def _table(preferences: Preferences) -> Table:
    table = Table("setting", "value", "accepted", "meaning", box=None, padding=(0, 2, 0, 0))
    for name, preference in PREFERENCES.items():
        table.add_row(name, preferences[name], ", ".join(preference.values), preference.help)
    return table
