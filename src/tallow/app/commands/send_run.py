"""The run of ``tallow send``: what is sent, the room, and the transfer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tallow.app.commands.options.common_options import CommonOptions
from tallow.app.commands.options.server_option import ServerChoice
from tallow.app.commands.peers import Advice
from tallow.app.commands.terminal.standard_input import read_input
from tallow.app.files.exclusions import Exclusions
from tallow.app.files.source_tree import CollectOptions, SourceTree, collect
from tallow.app.files.temporary import temporary_folder
from tallow.app.metadata.unsupported_formats import unstripped_warning
from tallow.app.peer.display.display import Display
from tallow.app.peer.errors import PeerError, is_final_refusal
from tallow.app.peer.link import Link, LinkError, is_exposed, new_secret, origin, token_hash
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.preferences import Preferences
from tallow.app.peer.server_client import ServerClient, tls_context
from tallow.app.peer.tasks import run_interruptible, start_task
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer import resume_state
from tallow.app.peer.transfer.prepare import PreparedFiles, build_manifest, prepare, strip_files
from tallow.app.peer.transfer.receiver_transfers import ReceiverTransfers
from tallow.app.peer.transfer.resume_state import SenderState
from tallow.app.peer.transfer.sender import TransferSender
from tallow.app.room_ids import rooms_of_link
from tallow.monitoring import correlation

STANDARD_INPUT: Final = Path("-")
PIPED_NAME: Final = "stdin"
TEXT_NAME: Final = "message.txt"


@dataclass(frozen=True)
class SendOptions:
    """Options of ``tallow send``; see its help.

    Attributes:
        text: the text to send; empty to ask for it; None to send files.
    """

    paths: tuple[Path, ...]
    resume: bool = False
    text: str | None = None
    name: str | None = None
    links: bool = False
    skip_unreadable: bool = False
    exclude: tuple[str, ...] = ()
    git: bool = False
    keep_metadata: bool = False
    insecure: bool = False
    receivers: int = 1


async def send(
    wanted: SendOptions,
    choice: ServerChoice,
    common: CommonOptions,
    options: TransferOptions,
    preferences: Preferences,
    display: Display,
    advice: Advice,
) -> None:
    """Run ``tallow send``.

    Args:
        advice: is changed if the transfer can be resumed.

    Raises:
        Exception: why it failed.
    """
    sent = find_interrupted(wanted.paths) if wanted.resume else []
    place = sent[0].link.server if sent else origin(choice.url())
    if is_exposed(place) and not wanted.insecure:
        raise LinkError("a link with plain http to another machine can be read in transit; use https")
    # One correlation id from the first record on: the room takes it over.
    with temporary_folder() as scratch, correlation.bind(correlation.new_id()):
        transfer = _SendCommand(scratch, options, preferences, display, advice)
        if sent:
            wanted = _as_before(sent[0])
        tree = await transfer.collect(wanted)
        if not sent:
            tree = await transfer.strip(tree, keep=wanted.keep_metadata)
        async with ServerClient(place, tls_context(common.ca), do_not_track=not options.telemetry) as server:
            if not sent:
                preparing = build_manifest(tree, is_text=wanted.text is not None)
                sent = await _create_rooms(server, wanted)
            else:
                preparing = transfer.prepare(tree, sent)
            await transfer.run(server, sent, preparing)


def _as_before(sent: SenderState) -> SendOptions:
    """The options with which an interrupted transfer was started."""
    return SendOptions(
        paths=tuple(Path(path) for path in sent.paths),
        links=sent.links,
        exclude=sent.exclude,
        git=sent.git,
        skip_unreadable=sent.skip_unreadable,
        keep_metadata=sent.keep_metadata,
    )


async def _create_rooms(server: ServerClient, wanted: SendOptions) -> list[SenderState]:
    """Create a link, with a room for each receiver."""
    secret = new_secret()
    made = await server.create_room(token_hash(secret), wanted.receivers)
    rooms = rooms_of_link(made.room)[-wanted.receivers :]
    if len(rooms) < wanted.receivers:
        raise PeerError("the server does not support several receivers of a link", "signaling")
    sent = [
        SenderState(
            Link(server.origin, made.room, secret),
            time.time() + made.expires_in,
            [str(path.resolve()) for path in wanted.paths],
            keep_metadata=wanted.keep_metadata,
            links=wanted.links,
            exclude=wanted.exclude,
            git=wanted.git,
            skip_unreadable=wanted.skip_unreadable,
            resumable=wanted.text is None and STANDARD_INPUT not in wanted.paths,
            room=room,
        )
        for room in rooms
    ]
    for state in sent:
        state.save()
    return sent


class _SendCommand:
    """The state of one run of the command."""

    def __init__(
        self,
        scratch: Path,
        options: TransferOptions,
        preferences: Preferences,
        display: Display,
        advice: Advice,
    ) -> None:
        self._scratch = scratch
        self._options = options
        self._preferences = preferences
        self._display = display
        self._advice = advice
        self._metrics = new_metrics()

    async def collect(self, wanted: SendOptions) -> SourceTree:
        """Find what is sent, in a thread: a folder may be large and its disk slow."""
        if wanted.text is not None or STANDARD_INPUT in wanted.paths:
            name = TEXT_NAME if wanted.text is not None else wanted.name or PIPED_NAME
            source = await run_interruptible(
                lambda stopped: read_input(self._scratch, name, wanted.text, stopped)
            )
            return SourceTree([source])
        choice = CollectOptions(
            wanted.links, wanted.skip_unreadable, Exclusions(wanted.exclude, git=wanted.git)
        )
        tree = await asyncio.to_thread(collect, wanted.paths, choice, self._warn)
        kept = None if wanted.keep_metadata else await asyncio.to_thread(unstripped_warning, tree.files)
        if kept is not None:
            self._warn(kept)
        return tree

    def _warn(self, message: str) -> None:
        self._display("warning", message=message)

    async def strip(self, tree: SourceTree, *, keep: bool) -> SourceTree:
        """See :func:`strip_files`."""
        return await strip_files(tree, self._scratch, self._metrics, keep_metadata=keep)

    async def prepare(self, tree: SourceTree, sent: Sequence[SenderState]) -> PreparedFiles:
        """Prepare the files of resumed transfers. Their receivers get an abort if this fails."""
        before = next((state.manifest for state in sent if state.manifest is not None), None)
        return await prepare(
            tree, self._scratch, self._metrics, keep_metadata=sent[0].keep_metadata, before=before
        )

    async def run(
        self, server: ServerClient, sent: Sequence[SenderState], preparing: Coroutine[Any, Any, PreparedFiles]
    ) -> None:
        """Send, and show the result."""
        task = start_task(preparing)
        first = sent[0]

        def give_link() -> None:
            self._display("link", link=first.link.text, expires_in=round(first.expires - time.time()))

        more = (self._options, self._metrics, self._display)
        sender: TransferSender | ReceiverTransfers
        if first.link.room == rooms_of_link(first.link.room)[0]:  # the only one
            sender = TransferSender(server, first, task, *more, on_joined=give_link)
        else:
            sender = ReceiverTransfers(server, sent, task, *more, on_joined=give_link)
        try:
            await sender.run()
        except BaseException as error:
            if sender.is_resumable(error) and not is_final_refusal(error):
                self._display("warning", message="to resume it later: tallow send --resume")
                self._advice.text = ""
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


def find_interrupted(paths: tuple[Path, ...]) -> list[SenderState]:
    """The interrupted transfers to resume: those of the latest link, or of the latest link of these paths.

    Raises:
        PeerError: there is none.
    """
    wanted = [str(path.resolve()) for path in paths]
    found = [sent for sent in resume_state.interrupted_transfers() if not wanted or sent.paths == wanted]
    if not found:
        which = "of these files " if wanted else ""
        raise PeerError(f"there is no interrupted transfer {which}to resume", "validation", "low")
    return [sent for sent in found if sent.link.room == found[-1].link.room]
