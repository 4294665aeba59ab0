"""``tallow send``: create a link, wait for the receiver, send."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from tallow.app.commands.common_options import CommonOptions, common_options, make_display, transfer_options
from tallow.app.commands.peers import run_transfer
from tallow.app.commands.server_option import ServerChoice, server_option
from tallow.app.files.source_file import SourceFile, collect_files
from tallow.app.files.temporary import temporary_folder
from tallow.app.metadata.unsupported_formats import unstripped_warning
from tallow.app.peer.display import Display, Terminal
from tallow.app.peer.errors import PeerError
from tallow.app.peer.link import Link, LinkError, is_exposed, new_secret, origin, token_hash
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.preferences import Preferences
from tallow.app.peer.server_client import ServerClient, tls_context
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer import resume_state
from tallow.app.peer.transfer.prepare import PreparedFiles, build_manifest, prepare, strip_files
from tallow.app.peer.transfer.resume_state import SenderState
from tallow.app.peer.transfer.sender import TransferSender
from tallow.monitoring import correlation


@click.command("send")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@server_option("The Tallow server to use.")
@click.option(
    "--resume",
    is_flag=True,
    help="Resume an interrupted transfer: the latest, or the one of the named files.",
)
@click.option("--keep-metadata", is_flag=True, help="Send pictures with their metadata (place, camera, …).")
@click.option("--insecure", is_flag=True, help="Allow a link with plain http to another machine.")
@click.option("--no-qr", is_flag=True, help="Do not show the link as a QR code.")
@common_options
def command(
    paths: tuple[Path, ...],
    server: ServerChoice,
    resume: bool,
    keep_metadata: bool,
    insecure: bool,
    no_qr: bool,
    common: CommonOptions,
) -> None:
    """Send files and folders: prints a link, and waits for a receiver.

    Everybody who has the link can receive: share it over a private channel. Files are encrypted on this
        machine; the
    server cannot read them. Ctrl-C cancels. A transfer that was interrupted in another way can be resumed
    with --resume while the link is valid (usually a day).
    """
    if not paths and not resume:
        raise click.UsageError("name the files and folders to send")
    preferences = Preferences.load()
    display = make_display(common, preferences, qr_code=not no_qr)
    keep = keep_metadata or preferences.is_on("keep_metadata")
    options = transfer_options(
        common, preferences, "send", *_features(paths, resume=resume, keep_metadata=keep, display=display)
    )
    run_transfer(
        display,
        _send(paths, server, resume, keep, insecure, common, options, preferences, display),
        again="the transfer cannot be resumed; to send the files, run tallow send again",
    )


def _features(
    paths: tuple[Path, ...], *, resume: bool, keep_metadata: bool, display: Display
) -> Iterator[str]:
    """The features that this run uses."""
    if resume:
        yield "resume"
    if len(paths) > 1 or any(path.is_dir() for path in paths):
        yield "multiple_files"
    if keep_metadata:
        yield "keep_metadata"
    if isinstance(display, Terminal) and display.shows_qr_code and not resume:
        yield "qr_code"


async def _send(
    paths: tuple[Path, ...],
    choice: ServerChoice,
    resume: bool,
    keep: bool,
    insecure: bool,
    common: CommonOptions,
    options: TransferOptions,
    preferences: Preferences,
    display: Display,
) -> None:
    sent = find_interrupted(paths) if resume else None
    place = sent.link.server if sent is not None else origin(choice.url())
    if is_exposed(place) and not insecure:
        raise LinkError("a link with plain http to another machine can be read in transit; use https")
    with temporary_folder() as scratch:
        transfer = _SendCommand(scratch, options, preferences, display)
        wanted = paths if sent is None else [Path(path) for path in sent.paths]
        keep = keep if sent is None else sent.keep_metadata
        files: Sequence[SourceFile] = await transfer.collect(wanted, keep=keep)
        if sent is None:
            files = await transfer.strip(files, keep=keep)
        async with ServerClient(place, tls_context(common.ca), do_not_track=not options.telemetry) as server:
            with correlation.bind(correlation.new_id()):
                if sent is None:
                    preparing = build_manifest(files)
                    sent = await _create_room(server, paths, keep)
                else:
                    preparing = transfer.prepare(files, sent)
                await transfer.run(server, sent, preparing)


async def _create_room(server: ServerClient, paths: tuple[Path, ...], keep: bool) -> SenderState:
    secret = new_secret()
    made = await server.create_room(token_hash(secret))
    link = Link(server.origin, made.room, secret)
    sent = SenderState(link, time.time() + made.expires_in, [str(path.resolve()) for path in paths])
    sent.keep_metadata = keep
    sent.save()
    return sent


class _SendCommand:
    """The state of one run of the command."""

    def __init__(
        self, scratch: Path, options: TransferOptions, preferences: Preferences, display: Display
    ) -> None:
        self._scratch = scratch
        self._options = options
        self._preferences = preferences
        self._display = display
        self._metrics = new_metrics()

    async def collect(self, paths: Sequence[Path], *, keep: bool) -> list[SourceFile]:
        """Find the files in a thread: a folder may be large and its disk slow."""
        files = await asyncio.to_thread(collect_files, paths, self._warn)
        kept = None if keep else await asyncio.to_thread(unstripped_warning, files)
        if kept is not None:
            self._warn(kept)
        return files

    def _warn(self, message: str) -> None:
        self._display("warning", message=message)

    async def strip(self, files: Sequence[SourceFile], *, keep: bool) -> Sequence[SourceFile]:
        """See :func:`strip_files`."""
        return await strip_files(files, self._scratch, self._metrics, keep_metadata=keep)

    async def prepare(self, files: Sequence[SourceFile], sent: SenderState) -> PreparedFiles:
        """Prepare the files of a resumed transfer. Its receiver gets an abort if this fails."""
        return await prepare(
            files, self._scratch, self._metrics, keep_metadata=sent.keep_metadata, before=sent.manifest
        )

    async def run(
        self, server: ServerClient, sent: SenderState, preparing: Coroutine[Any, Any, PreparedFiles]
    ) -> None:
        """Send, and show the result."""
        task = asyncio.create_task(preparing)

        def give_link() -> None:
            self._display("link", link=sent.link.text, expires_in=round(sent.expires - time.time()))

        sender = TransferSender(
            server, sent, task, self._options, self._metrics, self._display, on_joined=give_link
        )
        try:
            await sender.run()
        except Exception as error:
            if sender.is_resumable(error):
                self._display("warning", message="to resume it later: tallow send --resume")
            raise
        finally:
            if sender.accepted_reports:
                self._preferences.forget_changes(self._options.settings)
        offer = task.result()
        self._display(
            "finished",
            outcome="success",
            files=len(offer.sources),
            bytes=offer.manifest.size,
            seconds=round(sender.seconds, 3),
        )


def find_interrupted(paths: tuple[Path, ...]) -> SenderState:
    """The interrupted transfer to resume: the latest, or the latest of these paths.

    Raises:
        PeerError: there is none.
    """
    wanted = [str(path.resolve()) for path in paths]
    found = [sent for sent in resume_state.interrupted_transfers() if not wanted or sent.paths == wanted]
    if not found:
        which = "of these files " if wanted else ""
        raise PeerError(f"there is no interrupted transfer {which}to resume", "validation", "low")
    return found[-1]
