"""``tallow inbox``: the alert e-mails that the stack's own mailbox kept."""

from __future__ import annotations

import time
from collections.abc import Iterable

import click

from tallow.stack.commands.options import existing, home_option
from tallow.stack.engines.home import Home
from tallow.stack.inbox import Mail, messages

LOOK_EVERY_S = 0.5


@click.command("inbox")
@click.argument("number", required=False, type=click.IntRange(1))
@click.option("-n", "--last", default=50, show_default=True, type=click.IntRange(1), help="How many to list.")
@click.option("-f", "--follow", is_flag=True, help="Go on as messages arrive, until Ctrl-C.")
@home_option
def command(number: int | None, last: int, follow: bool, home: Home) -> None:
    """List the messages, oldest first, or show the one with this NUMBER."""
    folder = existing(home).data / "mailbox"
    kept = messages(folder)
    if number is not None:
        _show(kept, number)
        return
    if not kept:
        click.echo("no mail")
    _list(kept[-last:])
    seen = {mail.key for mail in kept}
    while follow:
        time.sleep(LOOK_EVERY_S)
        new = [mail for mail in messages(folder) if mail.key not in seen]
        _list(new)
        seen |= {mail.key for mail in new}


def _show(kept: list[Mail], number: int) -> None:
    if number > len(kept):
        raise click.ClickException(f"there is no message {number}; there are {len(kept)}")
    mail = kept[number - 1]
    click.echo(f"From: {mail.sender}\nTo: {mail.recipients}\nDate: {mail.at.astimezone():%c %Z}")
    click.echo(f"Subject: {mail.subject}\n\n{mail.text}")


def _list(mails: Iterable[Mail]) -> None:
    for mail in mails:
        colour = {"[RESOLVED]": "green", "[CRITICAL]": "red"}.get(mail.subject.partition(" ")[0].upper())
        subject = click.style(mail.subject, fg=colour)
        click.echo(
            f"{mail.number:>4}  {mail.at.astimezone():%m-%d %H:%M:%S}  {mail.recipients:<28} {subject}"
        )
