"""``tallow alerts``: what fires, what is held back, since when; and a test alert through the real path."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from tallow.stack.clients import alertmanager
from tallow.stack.clients.alertmanager import WATCHDOG, Alert
from tallow.stack.clients.test_alert import TestAlert, TestAlertResult
from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.output.alerts import show_alerts
from tallow.stack.commands.output.terminal import new_console, printable
from tallow.stack.engines.reload.snapshot import running_settings
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.links import message_links
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.routing.matrix import DEFAULT, RECEIVERS, Receiver
from tallow.stack.routing.receivers import missing_settings

MARGIN_S = 30.0
"""How long an integration may take beyond the receiver's group wait."""
_TESTABLE = {receiver.name: receiver for receiver in RECEIVERS if receiver.name != "heartbeat"}


@click.group("alerts", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@home_option
@click.pass_context
def command(context: click.Context, as_json: bool, home: StateDir) -> None:
    """Show the firing alerts, the most severe first.

    Exits with 1 if one fires that neither a silence nor another alert holds back, or if Watchdog does not: it
    always fires while alerting works. `tallow alerts test` sends a test alert.
    """
    if context.invoked_subcommand:
        context.default_map = {context.invoked_subcommand: {"home": str(home.root)}}
        return
    found = alertmanager.alerts(Api.of("alertmanager", require_stack(home)))
    watchdogs = [alert for alert in found if alert.name == WATCHDOG and alert.state == "firing"]
    shown = [alert for alert in found if alert not in watchdogs]
    if as_json:
        click.echo(json.dumps([_plain(alert) for alert in found], indent=2))
    else:
        show_alerts(new_console(), shown, has_watchdog=bool(watchdogs))
    if not watchdogs or any(alert.state == "firing" for alert in shown):
        raise SystemExit(1)


@command.command("test")
@click.argument("receiver", default=DEFAULT.name, type=click.Choice(list(_TESTABLE)))
@click.option(
    "--patience",
    default=MARGIN_S,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds beyond the group wait.",
)
@home_option
def test(receiver: str, patience: float, home: StateDir) -> None:
    """Send a marked test page to RECEIVER (by default `default`) and say what each integration answered.

    It goes the way of a real one: Alertmanager, its routes, its templates, the real far ends. It is resolved
    at once, and a message says so later. Exits with 1 unless every integration took it.
    """
    require_stack(home)
    whole = _TESTABLE[receiver]
    gone = missing_settings(whole, running_settings(home).alerts)
    channels = tuple(channel for channel in whole.channels if channel not in gone)
    wait = whole.group_wait * home.options().scale
    api = Api.of("alertmanager", home)
    page = TestAlert.send(api, whole, channels, message_links(home.options().port_offset))
    click.echo(f"{page.summary}\nAlertmanager waits {wait:g} s for others of its group ...")
    for channel, setting in gone.items():
        click.echo(f"{channel:<10} left out: {setting} is not set")
    try:
        results = [_said(result) for result in page.results(api, home, wait + patience)]
    finally:
        page.resolve(api)
    click.echo(f"resolved; the message about it follows within {_minutes(whole, home)}")
    if not all(result.outcome == "delivered" for result in results):
        raise SystemExit(1)


def _said(result: TestAlertResult) -> TestAlertResult:
    """Print what came back from an integration."""
    colour = {"delivered": "green", "failed": "red", "silent": "red"}[result.outcome]
    words = {
        "delivered": f"delivered after {result.seconds:.1f} s",
        "failed": "failed",
        "silent": f"no answer within {result.seconds:.0f} s; see: tallow logs alertmanager --since 5m",
    }[result.outcome]
    why = f": {printable(result.detail)}" if result.detail else ""
    click.echo(f"{result.channel:<10} {click.style(words, fg=colour)}{why}")
    return result


def _minutes(receiver: Receiver, home: StateDir) -> str:
    seconds = receiver.group_interval * home.options().scale
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"


def _plain(alert: Alert) -> dict[str, object]:
    return asdict(alert) | {
        "since": alert.starts_at.isoformat(),
        "receivers": list(alert.receivers),
        "by": list(alert.suppressed_by),
    }
