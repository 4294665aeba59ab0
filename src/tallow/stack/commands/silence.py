"""``tallow silence``: add, list and end silences."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from tallow.stack.clients import alertmanager
from tallow.stack.clients.alertmanager import WATCHDOG, Silence
from tallow.stack.clients.matchers import Matcher, MatcherError, alerts_matching, is_specific
from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.output.terminal import printable
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.state.state_dir import StateDir

MAX_LENGTH: Final = timedelta(days=30)
MAX_NAMED: Final = 7
"""How many silenced alerts are named; more are counted."""
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _user_name() -> str:
    """The user's name, or the uid if the user has none, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return f"user {os.getuid()}"


class DurationType(click.ParamType[timedelta]):
    """A duration: 30m, 2h, 1d."""

    name = "DURATION"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        text = str(value)
        if text[:-1].isdecimal() and text[-1:] in _UNITS and int(text[:-1]):
            length = timedelta(**{_UNITS[text[-1]]: min(int(text[:-1]), 10_000)})
            if length <= MAX_LENGTH:
                return length
        return self.fail(
            f"'{text}' is not a duration; give 30m, 2h, 1d, at most {MAX_LENGTH.days}d", param, ctx
        )


@click.group("silence")
def command() -> None:
    """Silence alerts for a while."""


@command.command("add")
@click.argument("matchers", nargs=-1, required=True, metavar="MATCHER...")
@click.option(
    "--for", "length", default="1h", show_default=True, type=DurationType(), help="How long: 30m, 2h, 1d."
)
@click.option("--comment", required=True, help="The reason, for the person on call.")
@click.option("--by", default=_user_name, show_default="your user name", help="Who silences them.")
@click.option("--everything", is_flag=True, help="Allow a silence of every alert, or of Watchdog.")
@home_option
def add(
    matchers: tuple[str, ...], length: timedelta, comment: str, by: str, everything: bool, home: StateDir
) -> None:
    """Silence the alerts that match all MATCHERs: an alert's name, or NAME=VALUE, !=, =~, !~.

    For example: tallow silence add RestartLoop --for 1h --comment deploy
    """
    if not comment.strip():
        raise click.UsageError("--comment must give a reason")
    chosen = _parsed(matchers)
    names = alerts_matching(chosen)
    if not everything:
        _reject_mistakes(chosen, names)
    api = Api.of("alertmanager", require_stack(home))
    now = datetime.now(UTC)
    silence_id = alertmanager.add_silence(api, chosen, now, now + length, by=by, comment=comment)
    click.echo(f"{silence_id}  until {now + length:%m-%d %H:%M UTC}, {_describe_alerts(names)}")


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Also expired ones.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@home_option
def show(every: bool, as_json: bool, home: StateDir) -> None:
    """Show silences in the order of their end."""
    found = alertmanager.silences(Api.of("alertmanager", require_stack(home)))
    chosen = [silence for silence in found if every or silence.state != "expired"]
    if as_json:
        click.echo(json.dumps([_to_json(silence) for silence in chosen], indent=2))
        return
    if not chosen:
        click.echo("nothing is silenced")
    for silence in chosen:
        click.echo(_line(silence))


@command.command("expire")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="All that have not expired.")
@home_option
def expire(ids: tuple[str, ...], every: bool, home: StateDir) -> None:
    """End silences now, by the first characters of their IDs."""
    if bool(ids) == every:
        raise click.UsageError("give the IDs of silences (see: tallow silence list), or --all")
    api = Api.of("alertmanager", require_stack(home))
    active = [silence for silence in alertmanager.silences(api) if silence.state != "expired"]
    for silence in active if every else [_find(active, prefix) for prefix in ids]:
        alertmanager.expire_silence(api, silence.id)
        click.echo(f"{silence.id}  ended")


def _parsed(texts: Iterable[str]) -> list[Matcher]:
    try:
        return [Matcher.parse(text) for text in texts]
    except MatcherError as error:
        raise click.UsageError(str(error)) from None


def _reject_mistakes(chosen: list[Matcher], names: list[str]) -> None:
    """Reject likely mistakes: a silence of every alert, of Watchdog, or of no alert.

    Raises:
        StackError: the silence is one of these.
    """
    if not names:
        raise StackError("no alert has these labels: nothing would be silenced")
    if is_specific(chosen):
        return
    if set(names) - {WATCHDOG} >= set(alerts_matching(())) - {WATCHDOG}:
        raise StackError("this would silence every alert; name one, or give --everything")
    if WATCHDOG in names:
        raise StackError(
            "this would silence Watchdog, and the heartbeat checker would notify; to do it, give --everything"
        )


def _find(silences: list[Silence], prefix: str) -> Silence:
    """The silence whose id starts with a text.

    Raises:
        StackError: none does, or several do.
    """
    found = [silence for silence in silences if silence.id.startswith(prefix)]
    if len(found) != 1:
        raise StackError(
            f"{'several silences begin' if found else 'no silence begins'} with '{prefix}'; "
            "see: tallow silence list"
        )
    return found[0]


def _describe_alerts(names: list[str]) -> str:
    if not names:
        return "no alert"
    return f"{len(names)} alerts" if len(names) > MAX_NAMED else ", ".join(names)


def _to_json(silence: Silence) -> dict[str, object]:
    return {
        "id": silence.id,
        "matchers": [asdict(matcher) for matcher in silence.matchers],
        "state": silence.state,
        "begins": silence.starts_at.isoformat(),
        "ends": silence.ends_at.isoformat(),
        "by": silence.created_by,
        "comment": silence.comment,
    }


def _line(silence: Silence) -> str:
    matchers = " ".join(map(str, silence.matchers))
    start = f"from {silence.starts_at:%m-%d %H:%M} " if silence.state == "pending" else ""
    state = "" if silence.state == "active" else f" ({silence.state})"
    return printable(
        f"{silence.id[:8]}  {start}until {silence.ends_at:%m-%d %H:%M UTC}{state}  {matchers}  "
        f"{silence.created_by}: {silence.comment}"
    )
