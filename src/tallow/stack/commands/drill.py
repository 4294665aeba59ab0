"""``tallow drill``: real faults, to see the pages arrive."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from tallow.stack import alerts
from tallow.stack.commands.options import KNOWN_ERRORS, command_error
from tallow.stack.drill.catalog import DRILLS
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.report.table import drills_table, result_line, summary
from tallow.stack.drill.run.hung_server import DRILLS as HUNG_SERVER
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.run.suite import JOBS, DrillSuite

LOOK_EVERY_S: Final = 0.25


@click.command("drill")
@click.argument("names", nargs=-1, metavar="[DRILL]...")
@click.option("--all", "every", is_flag=True, help="Every drill.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--jobs", default=JOBS, show_default=True, type=click.IntRange(1, 100), help="How many at the same time."
)
@click.option("--keep", is_flag=True, help="Keep logs and data, and say where.")
def command(names: tuple[str, ...], every: bool, as_json: bool, jobs: int, keep: bool) -> None:
    """Prove that alerts page: a real fault in a real stack, until the page is there, and over again.

    A stack of its own is started for it, with time running faster; the one that `up` started is left alone.
    Without a DRILL: what there is. Most are named as the alert they prove. Exits with 1 if a drill fails.
    """
    if not names and not every:
        _list()
        return
    _refuse_unknown(names)
    chosen = [drill for name, drill in DRILLS.items() if every or name in names]
    hung = [drill for name, drill in HUNG_SERVER.items() if every or name in names]
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's talk
    root = Path(tempfile.mkdtemp(prefix="tallow-drill-"))
    started = time.monotonic()
    try:
        session = DrillSuite(chosen, root, jobs=jobs, hung_server_drills=hung)
        results = asyncio.run(_run(session, Console(highlight=False, stderr=as_json)))
    except (DrillError, *KNOWN_ERRORS) as error:
        raise command_error(error) from None
    except asyncio.CancelledError:  # by a signal
        raise KeyboardInterrupt from None
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)
    _tell(results, as_json, time.monotonic() - started, root if keep else None)
    if any(result.problems for result in results.values()):
        raise SystemExit(1)


def _refuse_unknown(names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in {*DRILLS, *HUNG_SERVER}]:
        raise click.UsageError(
            f"there is no drill of {', '.join(unknown)}; `tallow drill` lists what there is"
        )


def _list() -> None:
    rows = [(name, DRILLS[name].fault) for name in alerts.RULES if name in DRILLS]
    rows += [(name, drill.fault) for name, drill in HUNG_SERVER.items()]
    width = max(len(name) for name, _ in rows)
    for name, fault in rows:
        click.echo(f"{click.style(name.ljust(width), bold=True)}  {fault}")
    click.echo("\nRun some with: tallow drill DRILL...   or all with: tallow drill --all")


async def _run(session: DrillSuite, console: Console) -> Mapping[str, DrillResult]:
    task = asyncio.create_task(session.run())
    # SIGHUP is sent when the terminal closes. SIGINT is handled here as well: asyncio's own handler cancels
    # every task twice, and the second time interrupts the code that stops what the drill started.
    for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(wanted, task.cancel)
    if console.is_terminal:
        await _watch(session, console, task)
    else:
        await _follow(session, console, task)
    return await task


async def _watch(
    session: DrillSuite, console: Console, task: asyncio.Task[Mapping[str, DrillResult]]
) -> None:
    """A living table."""
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        while not task.done():
            live.update(drills_table(session.results.values()))
            await asyncio.wait([task], timeout=LOOK_EVERY_S)


async def _follow(
    session: DrillSuite, console: Console, task: asyncio.Task[Mapping[str, DrillResult]]
) -> None:
    """A line for each that is over."""
    told: set[str] = set()
    while True:
        done = task.done()
        for name, result in session.results.items():
            if result.is_finished and name not in told:
                told.add(name)
                console.print(result_line(result), soft_wrap=True)
        if done:
            return
        await asyncio.wait([task], timeout=LOOK_EVERY_S)


def _tell(results: Mapping[str, DrillResult], as_json: bool, seconds: float, kept: Path | None) -> None:
    ordered = [results[name] for name in (*alerts.RULES, *HUNG_SERVER) if name in results]
    if as_json:
        facts = [result.to_json() for result in ordered]
        click.echo(json.dumps({"seconds": round(seconds, 1), "drills": facts}, indent=2))
        return
    console = Console(highlight=False)
    console.print(drills_table(ordered))
    console.print(summary(ordered, seconds))
    if kept:
        console.print(f"kept in {kept}")
