"""``tallow silence``: hold alerts back for a while, see what is held back, let it speak again."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from tallow.stack.clients import alertmanager
from tallow.stack.clients.alertmanager import WATCHDOG, Silence
from tallow.stack.clients.matchers import Matcher, MatcherError, alerts_matching, is_specific
from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.output.terminal import printable
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.state.state_dir import StateDir

LONGEST = timedelta(days=30)
MANY = 8
"""From so many alerts on they are counted and no longer named."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _user_name() -> str:
    """The user's name; the number of a user without one, as a container's often is."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return f"user {os.getuid()}"


class DurationType(click.ParamType[timedelta]):
    """A time from now on: 30m, 2h, 1d."""

    name = "DURATION"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        text = str(value)
        if text[:-1].isdecimal() and text[-1:] in _UNITS and int(text[:-1]):
            length = timedelta(**{_UNITS[text[-1]]: min(int(text[:-1]), 10_000)})
            if length <= LONGEST:
                return length
        return self.fail(f"'{text}' is not a duration; give 30m, 2h, 1d, at most {LONGEST.days}d", param, ctx)


@click.group("silence")
def command() -> None:
    """Hold alerts back for a while."""


@command.command("add")
@click.argument("matchers", nargs=-1, required=True, metavar="MATCHER...")
@click.option(
    "--for", "length", default="1h", show_default=True, type=DurationType(), help="How long: 30m, 2h, 1d."
)
@click.option("--comment", required=True, help="Why: whoever looks at night wants to know.")
@click.option("--by", default=_user_name, show_default="your user name", help="Who.")
@click.option("--everything", is_flag=True, help="Also if it holds back every alert, or the Watchdog.")
@home_option
def add(
    matchers: tuple[str, ...], length: timedelta, comment: str, by: str, everything: bool, home: StateDir
) -> None:
    """Hold back the alerts that all MATCHERs take: an alert's name, or NAME=VALUE, !=, =~, !~.

    For example: tallow silence add RestartLoop --for 1h --comment deploy
    """
    if not comment.strip():
        raise click.UsageError("--comment must say why")
    chosen = _parsed(matchers)
    names = alerts_matching(chosen)
    if not everything:
        _refuse(chosen, names)
    api = Api.of("alertmanager", require_stack(home))
    now = datetime.now(UTC)
    identity = alertmanager.add_silence(api, chosen, now, now + length, by=by, comment=comment)
    click.echo(f"{identity}  until {now + length:%m-%d %H:%M UTC}, {_whom(names)}")


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@home_option
def show(every: bool, as_json: bool, home: StateDir) -> None:
    """Show silences, those that end first first."""
    found = alertmanager.silences(Api.of("alertmanager", require_stack(home)))
    chosen = [silence for silence in found if every or silence.state != "expired"]
    if as_json:
        click.echo(json.dumps([_plain(silence) for silence in chosen], indent=2))
        return
    if not chosen:
        click.echo("nothing is silenced")
    for silence in chosen:
        click.echo(_line(silence))


@command.command("expire")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="All that have not ended.")
@home_option
def expire(ids: tuple[str, ...], every: bool, home: StateDir) -> None:
    """End silences now, by the first characters of their IDs."""
    if bool(ids) == every:
        raise click.UsageError("give the IDs of silences (see: tallow silence list), or --all")
    api = Api.of("alertmanager", require_stack(home))
    living = [silence for silence in alertmanager.silences(api) if silence.state != "expired"]
    for silence in living if every else [_found(living, identity) for identity in ids]:
        alertmanager.expire_silence(api, silence.id)
        click.echo(f"{silence.id}  ended")


def _parsed(texts: Iterable[str]) -> list[Matcher]:
    try:
        return [Matcher.parse(text) for text in texts]
    except MatcherError as error:
        raise click.UsageError(str(error)) from None


def _refuse(chosen: list[Matcher], names: list[str]) -> None:
    """Refuse what is likely a slip: it would silence everything, the dead man's switch, or nothing."""
    if not names:
        raise StackError("no alert of ours has these labels: it would hold nothing back")
    if is_specific(chosen):
        return
    if set(names) - {WATCHDOG} >= set(alerts_matching(())) - {WATCHDOG}:
        raise StackError("it would hold back every alert; name one, or say --everything")
    if WATCHDOG in names:
        raise StackError(
            "it would hold back the Watchdog, and the heartbeat checker would page; --everything if it should"
        )


def _found(living: list[Silence], identity: str) -> Silence:
    found = [silence for silence in living if silence.id.startswith(identity)]
    if len(found) != 1:
        raise StackError(
            f"{'several silences begin' if found else 'no silence begins'} with '{identity}'; "
            "see: tallow silence list"
        )
    return found[0]


def _whom(names: list[str]) -> str:
    if not names:
        return "no alert of ours"
    return f"{len(names)} alerts" if len(names) >= MANY else ", ".join(names)


def _plain(silence: Silence) -> dict[str, object]:
    return asdict(silence) | {
        "matchers": [asdict(matcher) for matcher in silence.matchers],
        "begins": silence.starts_at.isoformat(),
        "ends": silence.ends_at.isoformat(),
    }


def _line(silence: Silence) -> str:
    matchers = " ".join(map(str, silence.matchers))
    begins = f"from {silence.starts_at:%m-%d %H:%M} " if silence.state == "pending" else ""
    state = "" if silence.state == "active" else f" ({silence.state})"
    return printable(
        f"{silence.id[:8]}  {begins}until {silence.ends_at:%m-%d %H:%M UTC}{state}  {matchers}  "
        f"{silence.created_by}: {silence.comment}"
    )
