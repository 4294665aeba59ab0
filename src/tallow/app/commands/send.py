"""``tallow send``: make a link, wait for the receiver, send."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import click

from tallow.app.commands.peers import (
    CommonOptions,
    common_options,
    make_display,
    run_transfer,
    transfer_options,
)
from tallow.app.commands.server_option import ServerChoice, server_option
from tallow.app.files.source_file import SourceFile, collect_files
from tallow.app.files.temporary import temporary_folder
from tallow.app.link import Link, LinkError, is_exposed, new_secret, origin, token_hash
from tallow.app.metadata.unsupported_formats import unstripped_warning
from tallow.app.peer.display import Display
from tallow.app.peer.errors import PeerError
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
@server_option("The Tallow server to meet at.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with a transfer that was interrupted: the latest, or that of the files named.",
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
    """Send files and folders: prints a link, and waits until somebody receives with it.

    The link is all that is needed to receive, so hand it over where only the receiver reads it. Files are
    encrypted on this machine; the server cannot read them. Ctrl-C cancels. What was interrupted otherwise can
    be taken up again with --resume while the link is good (a day, usually).
    """
    if not paths and not resume:
        raise click.UsageError("name the files and folders to send")
    preferences = Preferences.load()
    display = make_display(common, preferences, qr_code=not no_qr)
    keep = keep_metadata or preferences.is_on("keep_metadata")
    many = len(paths) > 1 or any(path.is_dir() for path in paths)
    options = transfer_options(
        common,
        preferences,
        "send",
        "resume" if resume else None,
        "multiple_files" if many else None,
        "keep_metadata" if keep else None,
        "qr_code" if getattr(display, "shows_qr_code", False) and not resume else None,
    )
    run_transfer(
        display,
        _send(paths, server, resume, keep, insecure, common, options, preferences, display),
        again="the transfer cannot be resumed; to send the files, run tallow send again",
    )


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
        raise LinkError("a link with plain http to another machine can be read on its way; use https")
    with temporary_folder() as scratch:
        transfer = _SendCommand(scratch, options, preferences, display)
        wanted = paths if sent is None else [Path(path) for path in sent.paths]
        keep = keep if sent is None else sent.keep_metadata
        files: Sequence[SourceFile] = await transfer.collect(wanted, keep=keep)
        if sent is None:
            files = await transfer.strip(files, keep=keep)
        async with ServerClient(place, tls_context(common.ca)) as server:
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
    """What is sent, and how."""

    def __init__(
        self, scratch: Path, options: TransferOptions, preferences: Preferences, display: Display
    ) -> None:
        self._scratch = scratch
        self._options = options
        self._preferences = preferences
        self._display = display
        self._metrics = new_metrics()

    async def collect(self, paths: Sequence[Path], *, keep: bool) -> list[SourceFile]:
        """The files to send, found in a thread: a folder may be large, and its disk slow."""
        files = await asyncio.to_thread(collect_files, paths, self._warn)
        kept = None if keep else await asyncio.to_thread(unstripped_warning, files)
        if kept is not None:
            self._warn(kept)
        return files

    def _warn(self, message: str) -> None:
        self._display("warning", message=message)

    async def strip(self, files: Sequence[SourceFile], *, keep: bool) -> Sequence[SourceFile]:
        """See :func:`clean`."""
        return await strip_files(files, self._scratch, self._metrics, keep_metadata=keep)

    async def prepare(self, files: Sequence[SourceFile], sent: SenderState) -> PreparedFiles:
        """The files of a transfer that is resumed, made ready once its receiver can be told of a problem."""
        return await prepare(
            files, self._scratch, self._metrics, keep_metadata=sent.keep_metadata, before=sent.manifest
        )

    async def run(
        self, server: ServerClient, sent: SenderState, preparing: Coroutine[Any, Any, PreparedFiles]
    ) -> None:
        """Send, and say what was sent."""
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
                self._display("warning", message="to go on with it later: tallow send --resume")
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
        raise PeerError(f"no interrupted transfer {which}is remembered here", "validation", "low")
    return found[-1]
