"""``tallow inbox``: the alert e-mails in the stack's own mailbox."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Final

import click

from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.output.terminal import printable, printable_lines
from tallow.stack.engines.records import MessageReader, mail_reader
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.mailbox.reader import Mail

POLL_S: Final = 0.5


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
    read = mail_reader(require_stack(home))
    messages = read()
    if number is not None:
        _show(messages, number, as_json)
    elif as_json and not follow:
        click.echo(json.dumps([_to_json(mail) for mail in messages[-last:]], indent=2))
    else:
        _list(messages, last, _json_line if as_json else _line)
        if follow:
            _follow(read, messages, _json_line if as_json else _line)


def _show(messages: list[Mail], number: int, as_json: bool) -> None:
    """Print one message.

    Raises:
        click.ClickException: there is no such message.
    """
    if number > len(messages):
        raise click.ClickException(f"there is no message {number}; there are {len(messages)}")
    mail = messages[number - 1]
    click.echo(json.dumps(_to_json(mail), indent=2) if as_json else _full_text(mail))


def _list(messages: list[Mail], last: int, format_line: Callable[[Mail], str]) -> None:
    if not messages and format_line is _line:
        click.echo("no mail")
    _print(messages[-last:], format_line)


def _follow(read: MessageReader, messages: list[Mail], format_line: Callable[[Mail], str]) -> None:
    """Print further messages as they arrive. Never returns."""
    seen = {mail.key for mail in messages}
    while True:
        time.sleep(POLL_S)
        new = [mail for mail in read() if mail.key not in seen]
        _print(new, format_line)
        seen |= {mail.key for mail in new}


def _print(messages: Iterable[Mail], format_line: Callable[[Mail], str]) -> None:
    for mail in messages:
        click.echo(format_line(mail))


def _full_text(mail: Mail) -> str:
    headers = {"From": mail.sender, "To": mail.recipients, "Date": f"{mail.received_at.astimezone():%c %Z}"}
    head = "\n".join(f"{name}: {printable(value)}" for name, value in headers.items())
    return f"{head}\nSubject: {printable(mail.subject)}\n\n{printable_lines(mail.text)}"


def _line(mail: Mail) -> str:
    badge = mail.subject.partition(" ")[0].upper()
    colour = {"[RESOLVED]": "green", "[ENDED]": "yellow", "[CRITICAL]": "red"}.get(badge)
    subject = click.style(printable(mail.subject), fg=colour)
    received = f"{mail.received_at.astimezone():%m-%d %H:%M:%S}"
    return f"{mail.number:>4}  {received}  {printable(mail.recipients):<28} {subject}"


def _json_line(mail: Mail) -> str:
    return json.dumps(_to_json(mail))


def _to_json(mail: Mail) -> dict[str, object]:
    return {
        "number": mail.number,
        "id": mail.key,
        "at": mail.received_at.isoformat(),
        "from": mail.sender,
        "to": mail.recipients,
        "subject": mail.subject,
        "text": mail.text,
    }
