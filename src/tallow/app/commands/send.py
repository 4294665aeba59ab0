"""``tallow send``: create a link, wait for the receiver, send."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tallow.app.commands.options.byte_size import ByteSize
from tallow.app.commands.options.common_options import (
    CommonOptions,
    common_options,
    make_display,
    transfer_options,
)
from tallow.app.commands.options.server_option import ServerChoice, server_option
from tallow.app.commands.peers import Advice, run_transfer
from tallow.app.commands.send_run import STANDARD_INPUT, SendOptions, send
from tallow.app.peer.display.display import Display
from tallow.app.peer.display.terminal import Terminal
from tallow.app.peer.preferences import Preferences
from tallow.app.wire import MAX_RECEIVERS

ASK = ""
"""Value of --text without an argument: ask, or read standard input."""


@click.command("send")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@server_option("The Tallow server to use.")
@click.option(
    "--resume",
    is_flag=True,
    help="Resume an interrupted transfer: the latest, or the one of the named files.",
)
@click.option(
    "--text",
    is_flag=False,
    flag_value=ASK,
    help="Send a text: asks for it, or reads standard input. A text on the command line is visible to other "
    "users of this machine.",
)
@click.option("--name", help="Name of what is read from standard input.  [default: stdin]")
@click.option("--links", is_flag=True, help="Send symbolic links inside folders as links.")
@click.option("--skip-unreadable", is_flag=True, help="Leave out what cannot be read or is nested too deep.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out paths below the folders, as in .gitignore. May be repeated.",
)
@click.option("--git", is_flag=True, help="Leave out what .gitignore files name, and .git.")
@click.option("--limit", type=ByteSize(), help="Bytes per second to send at most, such as 5M.")
@click.option(
    "--receivers",
    type=click.IntRange(1, MAX_RECEIVERS),
    default=1,
    show_default=True,
    help="How many receivers may use the link, one after the other or at once.",
)
@click.option("--keep-metadata", is_flag=True, help="Send pictures with their metadata (place, camera, …).")
@click.option("--insecure", is_flag=True, help="Allow a link with plain http to another machine.")
@click.option("--no-qr", is_flag=True, help="Do not show the link as a QR code.")
@common_options
def command(
    paths: tuple[Path, ...],
    server: ServerChoice,
    no_qr: bool,
    limit: int | None,
    common: CommonOptions,
    **given: Any,
) -> None:
    """Send files and folders, a text, or standard input (-): prints a link, and waits for a receiver.

    Everybody who has the link can receive: share it over a private channel. Files are encrypted on this
    machine; the server cannot read them. Folders arrive with their permissions and times. Ctrl-C cancels. A
    transfer that was cancelled can be resumed with --resume for an hour, one that was interrupted in another
    way while the link is valid (usually a day).
    """
    wanted = SendOptions(paths=paths, **given)
    _check_usage(wanted)
    preferences = Preferences.load()
    display = make_display(common, preferences, qr_code=not no_qr)
    if wanted.text:
        display("warning", message="a text on the command line is visible to other users of this machine")
    keep = wanted.keep_metadata or preferences.is_on("keep_metadata")
    wanted = dataclasses.replace(wanted, keep_metadata=keep)
    options = transfer_options(common, preferences, "send", *_features(wanted, display))
    options = dataclasses.replace(options, limit=limit)
    advice = Advice("the transfer cannot be resumed; to send the files, run tallow send again")
    run_transfer(display, send(wanted, server, common, options, preferences, display, advice), advice)


def _check_usage(wanted: SendOptions) -> None:
    piped, asked = STANDARD_INPUT in wanted.paths, wanted.text is not None
    files = len(wanted.paths) - int(piped)
    if asked + piped > 1 or ((asked or piped) and (files or wanted.resume)):
        what = "--text" if asked else "standard input"
        raise click.UsageError(f"{what} is sent alone: name no files and no --resume")
    if not any((wanted.paths, wanted.resume, asked)):
        raise click.UsageError("name the files and folders to send, - for standard input, or --text")
    _check_combinations(wanted, piped=piped)


def _check_combinations(wanted: SendOptions, *, piped: bool) -> None:
    if wanted.resume and wanted.receivers > 1:
        raise click.UsageError("--resume resumes the receivers of the interrupted transfer: no --receivers")
    if wanted.name is not None and not piped:
        raise click.UsageError("--name is for what is read from standard input: tallow send - --name NAME")


def _features(wanted: SendOptions, display: Display) -> Iterator[str]:
    """The features that this run uses."""
    if wanted.resume:
        yield "resume"
    if len(wanted.paths) > 1 or any(path.is_dir() for path in wanted.paths):
        yield "multiple_files"
    if wanted.keep_metadata:
        yield "keep_metadata"
    if isinstance(display, Terminal) and display.shows_qr_code and not wanted.resume:
        yield "qr_code"
