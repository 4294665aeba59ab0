"""``tallow logs``: read, filter and follow the logs of the services."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import click

from tallow.stack.commands.options import home_option, require_services, service_names
from tallow.stack.commands.output.terminal import printable, printable_json
from tallow.stack.engines.docker.project import EVERY_NAME
from tallow.stack.engines.logs.reader import LEVELS, LogFilter, LogLine, parse_time
from tallow.stack.engines.records import follow_logs, read_logs
from tallow.stack.engines.state.state_dir import StateDir

_COLOURS = {"debug": "bright_black", "warning": "yellow", "error": "red", "fatal": "bright_red"}
_SAME_IN_EVERY_LINE = frozenset({"service", "environment", "version"})
"""Fields of Tallow's records that say nothing about one line; ``--json`` shows them."""


class TimeType(click.ParamType[datetime]):
    """A time in a form of :func:`tallow.stack.engines.logs.reader.parse_time`."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return parse_time(str(value))
        except ValueError:
            self.fail(f"'{value}' is not a time; give 15m, 2h, 1d or 2026-01-31T12:00", param, ctx)


@click.command("logs")
@click.argument("services", nargs=-1, type=click.Choice((*EVERY_NAME, "supervisor")), metavar="[SERVICE]...")
@click.option("--level", type=click.Choice(LEVELS), help="This level and worse.")
@click.option("--correlation-id", help="Only lines of this request or transfer.")
@click.option("--since", type=TimeType(), help="15m, 2h, 1d, or a time in ISO 8601.")
@click.option("--until", type=TimeType(), help="The same.")
@click.option("--grep", "text", help="Only lines that contain these whole words, in any case.")
@click.option("--logger", help="Only lines of this logger, such as security or transfer.")
@click.option("-n", "--lines", default=200, show_default=True, type=click.IntRange(0), help="The last ones.")
@click.option("-f", "--follow", is_flag=True, help="Go on as lines are written, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Lines as they are in the files.")
@home_option
def command(
    services: tuple[str, ...],
    level: str | None,
    correlation_id: str | None,
    since: datetime | None,
    until: datetime | None,
    text: str | None,
    logger: str | None,
    lines: int,
    follow: bool,
    as_json: bool,
    home: StateDir,
) -> None:
    """Show the logs of SERVICES, by default of all, oldest line first."""
    wanted = LogFilter(level, correlation_id, since, until, text, logger)
    require_services(home, services, "supervisor")
    chosen = services or service_names(home, "supervisor")
    now = datetime.now(UTC)
    found = read_logs(home, chosen, wanted)
    _show(found[-lines:] if lines else [], as_json)
    if follow:
        _show(follow_logs(home, chosen, wanted, now, found), as_json)


def _show(lines: Iterable[LogLine], as_json: bool) -> None:
    for line in lines:
        click.echo(printable_json(line.raw) if as_json else _readable(line))


def _readable(line: LogLine) -> str:
    at = line.timestamp.astimezone().strftime("%m-%d %H:%M:%S") if line.timestamp else " " * 14
    level = click.style(f"{line.level or '':<8}", fg=_COLOURS.get(line.level or ""))
    shown = {name: value for name, value in line.extra.items() if name not in _SAME_IN_EVERY_LINE}
    more = " ".join(f"{name}={_short(value)}" for name, value in shown.items())
    if line.correlation_id:
        more = f"correlation_id={line.correlation_id} {more}"
    text = f"{printable(line.text)} {click.style(printable(more), dim=True)}"
    return f"{at} {line.service:<13} {level} {text}".rstrip()


def _short(value: object) -> str:
    text = str(value)
    return repr(text) if " " in text else text
