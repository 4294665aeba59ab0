"""``tallow demo``: real transfers of generated files, so that every dashboard panel shows data."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from tallow.app.commands.executor import DaemonExecutor
from tallow.app.commands.interrupts import handled_signals
from tallow.app.commands.options.byte_size import ByteSize
from tallow.app.commands.options.common_options import load_faults
from tallow.app.commands.options.server_option import ServerChoice, server_option
from tallow.app.commands.peers import command_error, event_loop_factory, finish_output, remove_leftovers
from tallow.app.demo.browser import MISSING, BrowserTraffic, find_browser
from tallow.app.demo.devtools import BrowserError
from tallow.app.demo.plan import TrafficMix
from tallow.app.demo.traffic import TrafficGenerator
from tallow.app.demo.traffic_display import TrafficDisplay
from tallow.app.peer.errors import PeerError
from tallow.app.peer.event_log import configure_logging
from tallow.app.peer.link import LinkError, origin
from tallow.app.peer.server_client import tls_context
from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.lifecycle.warn_once import suppress_warning

SHARE: Final = click.FloatRange(0, 1)
BROWSER_PAUSES: Final = 4
"""Mean pauses of the other transfers between two transfers in the browser."""
MIN_BROWSER_PAUSE_S: Final = 3


@click.command("demo")
@server_option("The Tallow server that gets the traffic.")
@click.option("--duration", type=click.FloatRange(1), metavar="SECONDS", help="Stop after this time.")
@click.option("--transfers", type=click.IntRange(1), metavar="N", help="Stop after this number of transfers.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 6000), default=20, show_default=True, metavar="PER_MINUTE",
    help="Mean transfers per minute. By default a server creates 60 rooms per minute for one address.",
)  # fmt: skip
@click.option("--concurrency", type=click.IntRange(1, 200), default=4, show_default=True, metavar="N",
              help="Maximum number of simultaneous transfers.")  # fmt: skip
@click.option(
    "--size", type=ByteSize(), default="5MB", show_default=True, help="Size of the largest transfers."
)
@click.option("--smallest", type=ByteSize(), show_default="a fiftieth of the largest",
              help="Size of the smallest transfers.")  # fmt: skip
@click.option(
    "--relay-share", type=SHARE, default=0.2, show_default=True, help="Share of transfers over a relay."
)
@click.option(
    "--cancel-share", type=SHARE, default=0.1, show_default=True, help="Share of cancelled transfers."
)
@click.option("--bad-share", type=SHARE, default=0.05, show_default=True,
              help="Share of failing transfers, with bad requests before them.")  # fmt: skip
@click.option(
    "--browser",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    show_default="the one on the PATH",
    help="Chromium that sends and receives, too.",
)
@click.option("--no-browser", is_flag=True, help="Start no browser.")
@click.option(
    "--json", "json_output", is_flag=True, help="Print one JSON object per transfer, and the summary last."
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Additional trusted certificates, PEM (also: SSL_CERT_FILE).",
)
def command(
    server: ServerChoice,
    duration: float | None,
    transfers: int | None,
    rate: float,
    concurrency: int,
    size: int,
    smallest: int | None,
    relay_share: float,
    cancel_share: float,
    bad_share: float,
    browser: Path | None,
    no_browser: bool,
    json_output: bool,
    ca: Path | None,
) -> None:
    """Make real transfers of generated files between real peers in this process.

    Some are cancelled, interrupted and resumed, sent over a relay or to several receivers, or fail; the first
    ones are one of each kind. Most report telemetry. If a Chromium is installed, two of its tabs take part.
    Without --duration and --transfers it runs until Ctrl-C. Files are made in the temporary folder (TMPDIR)
    and removed after each transfer.
    """
    if smallest is not None and smallest > size:
        raise click.UsageError("--smallest: accepted: a size up to --size")
    load_faults()
    try:
        configure_logging()
        place, context = origin(server.url()), tls_context(ca)
    except (LinkError, PeerError) as error:
        raise command_error(error) from None
    ProxySettings.read(warn=_show_warning)
    shown = TrafficDisplay(json_output=json_output)
    traffic = TrafficGenerator(
        place,
        context,
        TrafficMix(relay_share, cancel_share, bad_share, size, smallest),
        rate=rate,
        concurrency=concurrency,
        on_result=shown.show_result,
    )
    pages = None if no_browser else _browser_traffic(place, browser, rate)
    try:
        with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
            runner.get_loop().set_default_executor(DaemonExecutor())
            ended = runner.run(_until_stopped(traffic, pages, shown, duration, transfers))
    except PeerError as error:
        raise command_error(error) from None
    shown.show_summary(traffic.summary)
    status = finish_output(shown.end, 0, signalled=not ended)
    if not ended and (duration is not None or transfers is not None):
        raise KeyboardInterrupt
    if status:
        sys.exit(status)


def _browser_traffic(origin: str, chosen: Path | None, rate: float) -> BrowserTraffic | None:
    """The traffic of a browser; None, and a note, if there is none."""
    program = chosen or find_browser()
    if program is None:
        click.echo(f"Note: {MISSING}", err=True)
        return None
    pause = max(MIN_BROWSER_PAUSE_S, BROWSER_PAUSES / rate * 60)
    return BrowserTraffic(origin, program, pause)


async def _until_stopped(
    traffic: TrafficGenerator,
    pages: BrowserTraffic | None,
    shown: TrafficDisplay,
    duration: float | None,
    transfers: int | None,
) -> bool:
    """Run to the end: True, or until a signal: False."""
    await asyncio.to_thread(remove_leftovers)
    running = asyncio.create_task(traffic.run(duration=duration, transfers=transfers))
    beside = None if pages is None else asyncio.create_task(_run_pages(pages, shown))
    for wanted in handled_signals():
        asyncio.get_running_loop().add_signal_handler(wanted, running.cancel)
    with suppress(asyncio.CancelledError):
        await running
    if beside is not None:
        beside.cancel()
        await asyncio.wait([beside])
    return not running.cancelled()


async def _run_pages(pages: BrowserTraffic, shown: TrafficDisplay) -> None:
    """A browser that fails ends its own part of the traffic only."""
    try:
        await pages.run()
    except BrowserError as error:
        shown.show_note(f"no more transfers in the browser: {error}")


def _show_warning(line: str) -> None:
    suppress_warning(line)
    click.echo(f"Note: {line}", err=True)
