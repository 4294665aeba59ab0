"""``tallow inbox``: the alert e-mails that the stack's own mailbox kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable

import click

from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.output.terminal import printable, printable_lines
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.mailbox.reader import Mail, read_messages

LOOK_EVERY_S = 0.5


@click.command("inbox")
@click.argument("number", required=False, type=click.IntRange(1))
@click.option("-n", "--last", default=50, show_default=True, type=click.IntRange(1), help="How many to list.")
@click.option("-f", "--follow", is_flag=True, help="Go on as messages arrive, until Ctrl-C.")
@click.option(
    "--json", "as_json", is_flag=True, help="For programs: a list; with --follow one message a line."
)
@home_option
def command(number: int | None, last: int, follow: bool, as_json: bool, home: StateDir) -> None:
    """List the messages, oldest first, or show the one with this NUMBER."""
    folder = require_stack(home).data / "mailbox"
    kept = read_messages(folder)
    if number is not None:
        mail = _numbered(kept, number)
        click.echo(json.dumps(_plain(mail), indent=2) if as_json else _whole(mail))
        return
    shown = kept[-last:]
    if as_json and not follow:
        click.echo(json.dumps([_plain(mail) for mail in shown], indent=2))
        return
    as_line = _json_line if as_json else _line
    if not kept and not as_json:
        click.echo("no mail")
    _print(shown, as_line)
    seen = {mail.key for mail in kept}
    while follow:
        time.sleep(LOOK_EVERY_S)
        new = [mail for mail in read_messages(folder) if mail.key not in seen]
        _print(new, as_line)
        seen |= {mail.key for mail in new}


def _numbered(kept: list[Mail], number: int) -> Mail:
    if number > len(kept):
        raise click.ClickException(f"there is no message {number}; there are {len(kept)}")
    return kept[number - 1]


def _print(mails: Iterable[Mail], as_line: Callable[[Mail], str]) -> None:
    for mail in mails:
        click.echo(as_line(mail))


def _whole(mail: Mail) -> str:
    fields = {"From": mail.sender, "To": mail.recipients, "Date": f"{mail.received_at.astimezone():%c %Z}"}
    head = "\n".join(f"{name}: {printable(value)}" for name, value in fields.items())
    return f"{head}\nSubject: {printable(mail.subject)}\n\n{printable_lines(mail.text)}"


def _line(mail: Mail) -> str:
    colour = {"[RESOLVED]": "green", "[CRITICAL]": "red"}.get(mail.subject.partition(" ")[0].upper())
    subject = click.style(printable(mail.subject), fg=colour)
    received = f"{mail.received_at.astimezone():%m-%d %H:%M:%S}"
    return f"{mail.number:>4}  {received}  {printable(mail.recipients):<28} {subject}"


def _json_line(mail: Mail) -> str:
    return json.dumps(_plain(mail))


def _plain(mail: Mail) -> dict[str, object]:
    return {
        "number": mail.number,
        "id": mail.key,
        "at": mail.received_at.isoformat(),
        "from": mail.sender,
        "to": mail.recipients,
        "subject": mail.subject,
        "text": mail.text,
    }
