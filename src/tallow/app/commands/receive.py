"""``tallow receive``: receive the files of a link into a folder."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

import click

from tallow.app.commands.options.common_options import (
    CommonOptions,
    common_options,
    make_display,
    transfer_options,
)
from tallow.app.commands.options.server_option import ServerChoice, server_option
from tallow.app.commands.peers import Advice, run_transfer
from tallow.app.commands.terminal.confirm import TerminalConfirmation
from tallow.app.commands.terminal.received_output import SingleFile, show_text, write_to_standard_output
from tallow.app.files.destination import DestinationFolder
from tallow.app.files.temporary import temporary_folder
from tallow.app.peer.display.display import Display
from tallow.app.peer.errors import is_final_refusal
from tallow.app.peer.link import Link, is_exposed, origin
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.preferences import Preferences
from tallow.app.peer.server_client import ServerClient, tls_context
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer.confirmation import Confirm
from tallow.app.peer.transfer.receiver import TransferReceiver
from tallow.app.peer.transfer.resume_state import ReceiverState
from tallow.monitoring import correlation

STANDARD_OUTPUT = Path("-")
REMEMBERED_S = 86_400
"""Seconds for which an interrupted transfer can be resumed here; by default no room exists longer."""


@click.command("receive")
@click.argument("link", required=False)
@click.option(
    "-o",
    "--output",
    default=".",
    show_default="this folder",
    type=click.Path(file_okay=False, path_type=Path, allow_dash=True),
    help="Folder for the received files; - writes a single file to standard output.",
)
@click.option(
    "-y",
    "--yes",
    is_flag=True,
    help="Receive without asking; required without a terminal.",
)
@server_option("The Tallow server to use instead of the link's.", "the link's")
@common_options
def command(link: str | None, output: Path, yes: bool, server: ServerChoice, common: CommonOptions) -> None:
    """Receive files from LINK: shows their names and sizes, and asks whether to receive them.

    A command line is visible to other users of this machine: without LINK, the command asks for it or reads
    it from standard input. With --server or --home the part ROOM.SECRET of the link is enough. Names that are
    taken or unsafe are changed, and nothing is overwritten. A file gets its name after its SHA-256 was
    verified. The same command resumes an interrupted transfer.
    """
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("standard input is not a terminal: add --yes to receive without asking")
    piped = output == STANDARD_OUTPUT
    if piped and common.json:
        raise click.UsageError("--json and -o - both write to standard output")
    preferences = Preferences.load()
    display = make_display(common, preferences, asks=True, names_files=not piped)
    options = transfer_options(common, preferences, "receive")
    ask = None if yes else TerminalConfirmation(output, display.ask)
    confirm = SingleFile(ask) if piped else ask
    advice = Advice("the transfer cannot be resumed; to receive the files, ask the sender for a new link")
    work = _receive(
        link or prompt_for_link(), output, confirm, server, common, options, preferences, display, advice
    )
    run_transfer(display, work, advice)


def prompt_for_link() -> str:
    """Ask for the link at the terminal, or read it from standard input."""
    if sys.stdin.isatty():
        text: str = click.prompt("Link", hide_input=True, err=True)
        return text
    return sys.stdin.readline()


async def _receive(
    text: str,
    output: Path,
    confirm: Confirm | None,
    choice: ServerChoice,
    common: CommonOptions,
    options: TransferOptions,
    preferences: Preferences,
    display: Display,
    advice: Advice,
) -> None:
    link = Link.parse(text, choice.url)
    if choice.explicit:
        link = replace(link, server=origin(choice.url()))
    if is_exposed(link.server):
        display(
            "warning",
            message="the link uses plain http to another machine: others can see who connects to it",
        )
    if output == STANDARD_OUTPUT:
        with temporary_folder() as folder:
            received = ReceiverState(None, time.time() + REMEMBERED_S)
            await _receive_into(
                folder, link, received, confirm, common, options, preferences, display, advice
            )
            await asyncio.to_thread(write_to_standard_output, received.paths)
    else:
        received = ReceiverState.load(link, time.time() + REMEMBERED_S, output)
        await _receive_into(output, link, received, confirm, common, options, preferences, display, advice)


async def _receive_into(
    output: Path,
    link: Link,
    received: ReceiverState,
    confirm: Confirm | None,
    common: CommonOptions,
    options: TransferOptions,
    preferences: Preferences,
    display: Display,
    advice: Advice,
) -> None:
    metrics = new_metrics()
    if received.has_manifest:
        metrics.record_feature_usage("resume")
    async with ServerClient(
        link.server, tls_context(common.ca), do_not_track=not options.telemetry
    ) as server:
        with DestinationFolder(output) as destination, correlation.bind(correlation.new_id()):
            receiver = TransferReceiver(
                server, link, destination, received, options, metrics, display, confirm=confirm
            )
            try:
                await receiver.run()
            except BaseException as error:
                if receiver.is_resumable(error) and not is_final_refusal(error):
                    display("warning", message="to resume it later, run the same command again")
                    advice.text = ""
                raise
            finally:
                if receiver.accepted_reports:
                    preferences.forget_changes(options.settings)
    assert receiver.manifest is not None
    if receiver.manifest.is_text:
        await asyncio.to_thread(show_text, display, received.paths)
    display(
        "finished",
        outcome="success",
        files=len(receiver.manifest.files),
        bytes=receiver.manifest.size,
        seconds=round(receiver.seconds, 3),
    )
