"""What ``send`` and ``receive`` share: options, the run of a transfer, and exit statuses."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from tallow.app.channels.channel import ChannelError
from tallow.app.commands.executor import DaemonExecutor
from tallow.app.commands.interrupts import SignalledError, run_until_signalled, signals_interrupt
from tallow.app.crypto.errors import CancelledByPeerError, ProtocolError
from tallow.app.files import temporary
from tallow.app.files.errors import FileError
from tallow.app.peer import user_files
from tallow.app.peer.display import Display, JsonLines, Terminal
from tallow.app.peer.errors import (
    NotConfirmedError,
    PeerError,
    ServerConnectionError,
    StackNotRunningError,
    error_labels,
    one_line,
)
from tallow.app.peer.event_log import configure_logging
from tallow.app.peer.link import LinkError
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.preferences import Preferences
from tallow.app.peer.transfer import resume_state
from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.lifecycle.warn_once import suppress_warning

KNOWN: Final = (ProtocolError, PeerError, FileError, ChannelError, LinkError, OSError)
FAILED: Final = 1
INTERRUPTED: Final = 130
"""Exit statuses besides 0, as for every command (docs/commands.md). 1 also if the other side cancelled."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class CommonOptions:
    """Options of both commands."""

    relay: bool
    json: bool
    no_telemetry: bool
    ca: Path | None


def common_options(function: Function) -> Function:
    """Add the options of both commands; the command gets them as ``common``."""

    @functools.wraps(function)
    def wrapped(
        *args: Any, relay: bool, json_output: bool, no_telemetry: bool, ca: Path | None, **kwargs: Any
    ) -> Any:
        with signals_interrupt():
            load_faults()
            return function(*args, common=CommonOptions(relay, json_output, no_telemetry, ca), **kwargs)

    options = [
        click.option("--relay", is_flag=True, help="Use Tallow's relay; never connect directly."),
        click.option(
            "--json", "json_output", is_flag=True, help="Print events as JSON, one object per line."
        ),
        click.option(
            "--no-telemetry",
            is_flag=True,
            help="Report no counts and timings (also: DO_NOT_TRACK=1, or the setting telemetry).",
        ),
        click.option(
            "--ca",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Additional trusted certificates, PEM (also: SSL_CERT_FILE).",
        ),
    ]
    result: Any = wrapped
    for option in reversed(options):
        result = option(result)
    return result  # type: ignore[no-any-return]


def transfer_options(
    common: CommonOptions, preferences: Preferences, *features: str | None
) -> TransferOptions:
    """The options of a transfer: the command line comes first, then the environment, then the settings."""
    untracked = os.environ.get("DO_NOT_TRACK", "").strip().lower() not in {"", "0", "false"}
    telemetry = preferences.is_on("telemetry") and not common.no_telemetry and not untracked
    preference = "relay" if common.relay else preferences["relay_preference"]
    used = [*features, "relay_only" if preference == "relay" else None]
    used.append("json_output" if common.json else None)
    return TransferOptions(
        relay=preference,
        tallow_relay=common.relay,
        telemetry=telemetry,
        features=tuple(feature for feature in used if feature),
        settings=dict(preferences.changes),
    )


def make_display(
    common: CommonOptions, preferences: Preferences, *, qr_code: bool = False, asks: bool = False
) -> Display:
    """The display of events."""
    if common.json:
        return JsonLines()
    bell = preferences.is_on("notifications")
    return Terminal(theme=preferences["theme"], bell=bell, qr_code=qr_code, asks=asks)


def load_faults() -> None:
    """Install fault switches if the environment asks for them. Otherwise their code is not imported."""
    if os.environ.get("TALLOW_FAULTS") != "1":
        return
    from tallow.app.faults.peer import BadFaultError, install

    try:
        install(os.environ.get("TALLOW_PEER_FAULTS", ""))
    except BadFaultError as error:
        raise click.ClickException(str(error)) from None


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop, which is 50 % faster over WebRTC; None (asyncio's) if it is not installed."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


def run_transfer(display: Display, work: Coroutine[Any, Any, None], again: str) -> None:
    """Run a peer, show how it ended, and exit with its status.

    Args:
        again: how to start anew, for a user who cancelled.
    """
    status = 0
    try:
        configure_logging()
        ProxySettings.read(warn=lambda line: _show_warning(display, line))
        with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
            runner.get_loop().set_default_executor(DaemonExecutor())
            runner.run(run_until_signalled(_clean_up_and_run(work)))
    except (KeyboardInterrupt, SignalledError):
        work.close()  # it may not have started
        display("finished", outcome="cancelled", by="this side")
        status = _print_end(display, f"cancelled; {again}", INTERRUPTED)
    except NotConfirmedError as error:
        display("finished", outcome="cancelled", by="this side")
        status = _print_end(display, str(error), FAILED)
    except CancelledByPeerError as error:
        display("finished", outcome="cancelled", by="other side")
        status = _print_end(display, str(error), FAILED)
    except Exception as error:
        work.close()
        display("error", type=error_labels(error)[0], message=one_line(error))
        display("finished", outcome="failed")
        if not isinstance(error, KNOWN):
            raise
        status = _print_end(display, one_line(error), command_error(error).exit_code)
    sys.exit(status)


class ServerUnreachableError(click.ClickException):
    """The server cannot be reached, or its stack is not running."""

    exit_code = 3


def command_error(error: Exception) -> click.ClickException:
    """The error that a command ends with. The exit status is 3 for :class:`ServerUnreachableError`, else
    1."""
    kind = (
        ServerUnreachableError
        if isinstance(error, ServerConnectionError | StackNotRunningError)
        else click.ClickException
    )
    return kind(one_line(error))


async def _clean_up_and_run(work: Coroutine[Any, Any, None]) -> None:
    await asyncio.to_thread(remove_leftovers)
    await work


def remove_leftovers() -> None:
    """Remove files that killed commands of this user left, and expired state."""
    temporary.remove_abandoned()
    user_files.remove_abandoned_drafts()
    resume_state.remove_expired()


def _show_warning(display: Display, line: str) -> None:
    """Show a warning of the library to the user and do not log it."""
    suppress_warning(line)
    display("warning", message=line)


def _print_end(display: Display, text: str, status: int) -> int:
    display.close()
    if isinstance(display, Terminal):
        with suppress(OSError):  # the terminal may be closed
            click.secho(f"tallow: {text}", err=True, fg=None if status == INTERRUPTED else "red")
    return status
