"""``tallow alerts``: show the firing alerts, and send a test alert through the real path."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

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

MARGIN_S: Final = 30.0
"""Seconds for which an integration's answer is awaited after the receiver's group wait."""
_TESTABLE: Final = {receiver.name: receiver for receiver in RECEIVERS if receiver.name != "heartbeat"}


@click.group("alerts", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@home_option
@click.pass_context
def command(context: click.Context, as_json: bool, home: StateDir) -> None:
    """Show the firing alerts, the most severe first.

    Exits with 1 if an alert fires that is neither silenced nor inhibited, or if Watchdog does not fire: it
    always fires while alerting works. `tallow alerts test` sends a test alert.
    """
    if context.invoked_subcommand:
        context.default_map = {context.invoked_subcommand: {"home": str(home.root)}}
        return
    alerts = alertmanager.alerts(Api.of("alertmanager", require_stack(home)))
    others = [alert for alert in alerts if not _is_firing_watchdog(alert)]
    has_watchdog = len(others) < len(alerts)
    if as_json:
        click.echo(json.dumps([_to_json(alert) for alert in alerts], indent=2))
    else:
        show_alerts(new_console(), others, has_watchdog=has_watchdog)
    if not has_watchdog or _is_any_firing(others):
        raise SystemExit(1)


def _is_firing_watchdog(alert: Alert) -> bool:
    return alert.name == WATCHDOG and alert.state == "firing"


def _is_any_firing(alerts: Sequence[Alert]) -> bool:
    return any(alert.state == "firing" for alert in alerts)


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
    """Send a marked test alert to RECEIVER (by default `default`) and show what each integration answered.

    It takes the path of a real alert: Alertmanager, its routes and templates, and the real services. It is
    resolved at once, and a message about that follows. Exits with 1 unless every integration accepted it.
    """
    require_stack(home)
    chosen = _TESTABLE[receiver]
    missing = missing_settings(chosen, running_settings(home).alerts)
    channels = tuple(channel for channel in chosen.channels if channel not in missing)
    wait = chosen.group_wait * home.options().scale
    api = Api.of("alertmanager", home)
    test_alert = TestAlert.send(api, chosen, channels, message_links(home.options().port_offset))
    click.echo(f"{test_alert.summary}\nAlertmanager waits {wait:g} s for other alerts of its group ...")
    for channel, setting in missing.items():
        click.echo(f"{channel:<10} left out: {setting} is not set")
    try:
        results = [_printed(result) for result in test_alert.results(api, home, wait, patience)]
    finally:
        test_alert.resolve(api)
    click.echo(f"resolved; the message about it follows within {_group_interval(chosen, home)}")
    if not all(result.outcome == "delivered" for result in results):
        raise SystemExit(1)


def _printed(result: TestAlertResult) -> TestAlertResult:
    """Print the result of an integration, and return it."""
    colour = {"delivered": "green", "failed": "red", "silent": "red"}[result.outcome]
    description = {
        "delivered": f"delivered after {result.seconds:.1f} s",
        "failed": "failed",
        "silent": f"no answer within {result.seconds:.0f} s; see: tallow logs alertmanager --since 5m",
    }[result.outcome]
    detail = f": {printable(result.detail)}" if result.detail else ""
    click.echo(f"{result.channel:<10} {click.style(description, fg=colour)}{detail}")
    return result


def _group_interval(receiver: Receiver, home: StateDir) -> str:
    seconds = receiver.group_interval * home.options().scale
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"


def _to_json(alert: Alert) -> dict[str, object]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state,
        "since": alert.starts_at.isoformat(),
        "receivers": list(alert.receivers),
        "by": list(alert.suppressed_by),
    }
