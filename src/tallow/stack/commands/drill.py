"""``tallow drill``: inject real faults and follow their alerts to the receivers."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from tallow.stack import alerts
from tallow.stack.commands.options import KNOWN_ERRORS, command_error
from tallow.stack.commands.output.terminal import new_console, printable_text
from tallow.stack.drill.catalog import DRILLS
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.report.table import drills_table, result_line, summary
from tallow.stack.drill.run.hung_server import DRILLS as HUNG_SERVER_DRILLS
from tallow.stack.drill.run.result import DrillResult
from tallow.stack.drill.run.suite import JOBS, DrillSuite

POLL_S: Final = 0.25


@click.command("drill")
@click.argument("names", nargs=-1, metavar="[DRILL]...")
@click.option("--all", "every", is_flag=True, help="Every drill.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--jobs", default=JOBS, show_default=True, type=click.IntRange(1, 100), help="How many at the same time."
)
@click.option("--keep", is_flag=True, help="Keep logs and data, and print where they are.")
def command(names: tuple[str, ...], every: bool, as_json: bool, jobs: int, keep: bool) -> None:
    """Prove that alerts notify: inject a real fault into a real stack and follow its alert until it ends.

    Each drill starts a stack of its own with scaled times; the stack of `tallow up` is not touched. Without a
    DRILL the drills are listed. Most have the name of their alert. Exits with 1 if a drill fails.
    """
    if not names and not every:
        _list()
        return
    _reject_unknown(names)
    chosen = (*DRILLS, *HUNG_SERVER_DRILLS) if every else names
    root = Path(tempfile.mkdtemp(prefix="tallow-drill-"))
    started = time.monotonic()
    try:
        results = _run(chosen, root, jobs, new_console(stderr=as_json))
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)
    ordered = [results[name] for name in (*alerts.RULES, *HUNG_SERVER_DRILLS) if name in results]
    _show_results(ordered, as_json, time.monotonic() - started, root if keep else None)
    if any(result.problems for result in ordered):
        raise SystemExit(1)


def _reject_unknown(names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in {*DRILLS, *HUNG_SERVER_DRILLS}]:
        raise click.UsageError(f"there is no drill {', '.join(unknown)}; `tallow drill` lists the drills")


def _list() -> None:
    rows = [(name, DRILLS[name].fault) for name in alerts.RULES if name in DRILLS]
    rows += [(name, drill.fault) for name, drill in HUNG_SERVER_DRILLS.items()]
    width = max(len(name) for name, _ in rows)
    for name, fault in rows:
        click.echo(f"{click.style(name.ljust(width), bold=True)}  {fault}")
    click.echo("\nRun some with: tallow drill DRILL...   or all with: tallow drill --all")


def _run(names: Iterable[str], root: Path, jobs: int, console: Console) -> Mapping[str, DrillResult]:
    """Run drills to their end.

    Raises:
        click.ClickException: the drills cannot be run.
        KeyboardInterrupt: a signal ended them.
    """
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # of aiosmtpd
    chosen = set(names)
    suite = DrillSuite(
        [drill for name, drill in DRILLS.items() if name in chosen],
        root,
        jobs=jobs,
        hung_server_drills=[drill for name, drill in HUNG_SERVER_DRILLS.items() if name in chosen],
    )
    try:
        return asyncio.run(_run_suite(suite, console))
    except (DrillError, *KNOWN_ERRORS) as error:
        raise command_error(error) from None
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _run_suite(suite: DrillSuite, console: Console) -> Mapping[str, DrillResult]:
    task = asyncio.create_task(suite.run())
    # SIGHUP is sent when the terminal closes. SIGINT is handled here as well: asyncio's own handler cancels
    # every task twice, and the second time interrupts the code that stops what the drill started.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    if console.is_terminal:
        await _show_live_table(suite, console, task)
    else:
        await _print_finished(suite, console, task)
    return await task


async def _show_live_table(
    suite: DrillSuite, console: Console, task: asyncio.Task[Mapping[str, DrillResult]]
) -> None:
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        while not task.done():
            live.update(drills_table(suite.results.values()))
            await asyncio.wait([task], timeout=POLL_S)


async def _print_finished(
    suite: DrillSuite, console: Console, task: asyncio.Task[Mapping[str, DrillResult]]
) -> None:
    """Print a line for each drill when it is finished."""
    printed: set[str] = set()
    while True:
        is_done = task.done()
        for name, result in suite.results.items():
            if result.is_finished and name not in printed:
                printed.add(name)
                console.print(printable_text(result_line(result)), soft_wrap=True)
        if is_done:
            return
        await asyncio.wait([task], timeout=POLL_S)


def _show_results(results: Sequence[DrillResult], as_json: bool, seconds: float, kept: Path | None) -> None:
    if as_json:
        drills = [result.to_json() for result in results]
        click.echo(json.dumps({"seconds": round(seconds, 1), "drills": drills}, indent=2))
        return
    console = new_console()
    console.print(drills_table(results))
    console.print(summary(results, seconds))
    if kept:
        console.print(printable_text(f"logs and data are kept in {kept}"), soft_wrap=True)
