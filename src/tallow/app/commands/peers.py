"""What `send` and `receive` share: their options, how they run, and how they end."""

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
from tallow.app.link import LinkError
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
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.preferences import Preferences
from tallow.app.peer.transfer import resume_state
from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.lifecycle.warn_once import suppress_warning

KNOWN: Final = (ProtocolError, PeerError, FileError, ChannelError, LinkError, OSError)
FAILED: Final = 1
INTERRUPTED: Final = 130
"""Exit statuses beside 0, as for every command (docs/commands.md). 1: also if the other side cancelled."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class CommonOptions:
    """What both verbs take."""

    relay: bool
    json: bool
    no_telemetry: bool
    ca: Path | None


def common_options(function: Function) -> Function:
    """The options of both verbs, handed over as ``common``."""

    @functools.wraps(function)
    def wrapped(
        *args: Any, relay: bool, json_output: bool, no_telemetry: bool, ca: Path | None, **kwargs: Any
    ) -> Any:
        with signals_interrupt():
            load_faults()
            return function(*args, common=CommonOptions(relay, json_output, no_telemetry, ca), **kwargs)

    options = [
        click.option("--relay", is_flag=True, help="Never connect directly: use Tallow's relay."),
        click.option("--json", "json_output", is_flag=True, help="Tell events as JSON, one object a line."),
        click.option(
            "--no-telemetry",
            is_flag=True,
            help="Report no counts and timings (also: DO_NOT_TRACK=1, or the setting telemetry).",
        ),
        click.option(
            "--ca",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Certificates of authorities to trust too, PEM (also: SSL_CERT_FILE).",
        ),
    ]
    result: Any = wrapped
    for option in reversed(options):
        result = option(result)
    return result  # type: ignore[no-any-return]


def transfer_options(
    common: CommonOptions, preferences: Preferences, *features: str | None
) -> TransferOptions:
    """How this transfer behaves, from the command line first, then the environment and the settings."""
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
    """Where events go."""
    if common.json:
        return JsonLines()
    bell = preferences.is_on("notifications")
    return Terminal(theme=preferences["theme"], bell=bell, qr_code=qr_code, asks=asks)


def load_faults() -> None:
    """Fault switches of drills, where they were asked for; else their code is not even loaded."""
    if os.environ.get("TALLOW_FAULTS") != "1":
        return
    from tallow.app.faults.peer import BadFaultError, install

    try:
        install(os.environ.get("TALLOW_PEER_FAULTS", ""))
    except BadFaultError as error:
        raise click.ClickException(str(error)) from None


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes uvloop's event loop, half as fast again over WebRTC; None, for asyncio's, without it."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


def run_transfer(display: Display, work: Coroutine[Any, Any, None], again: str) -> None:
    """Run a peer to its end, say how it ended, and exit with the status of that.

    Args:
        again: how to begin anew, for who has stopped it.
    """
    status = 0
    try:
        configure_logging()
        ProxySettings.read(warn=lambda line: _show_warning(display, line))
        with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
            runner.get_loop().set_default_executor(DaemonExecutor())
            runner.run(run_until_signalled(_after_cleaning(work)))
    except (KeyboardInterrupt, SignalledError):
        work.close()  # it may not have begun
        display("finished", outcome="cancelled", by="this side")
        status = _say(display, f"cancelled; {again}", INTERRUPTED)
    except NotConfirmedError as error:
        display("finished", outcome="cancelled", by="this side")
        status = _say(display, str(error), FAILED)
    except CancelledByPeerError as error:
        display("finished", outcome="cancelled", by="other side")
        status = _say(display, str(error), FAILED)
    except Exception as error:
        work.close()
        display("error", type=error_labels(error)[0], message=one_line(error))
        display("finished", outcome="failed")
        if not isinstance(error, KNOWN):
            raise
        status = _say(display, one_line(error), command_error(error).exit_code)
    sys.exit(status)


class ServerUnreachableError(click.ClickException):
    """The server cannot be reached, or the stack that it belongs to does not run."""

    exit_code = 3


def command_error(error: Exception) -> click.ClickException:
    """An error as a command ends with it; its exit status is 3 for :class:`UnreachableError`, else 1."""
    kind = (
        ServerUnreachableError
        if isinstance(error, ServerConnectionError | StackNotRunningError)
        else click.ClickException
    )
    return kind(one_line(error))


async def _after_cleaning(work: Coroutine[Any, Any, None]) -> None:
    await asyncio.to_thread(remove_leftovers)
    await work


def remove_leftovers() -> None:
    """Remove what commands of this user left that were killed, and what is past its time."""
    temporary.remove_abandoned()
    user_files.remove_abandoned_drafts()
    resume_state.remove_expired()


def _show_warning(display: Display, line: str) -> None:
    """Show a warning of the library to the user, and do not log it."""
    suppress_warning(line)
    display("warning", message=line)


def _say(display: Display, text: str, status: int) -> int:
    display.close()
    if isinstance(display, Terminal):
        with suppress(OSError):  # the terminal may be gone
            click.secho(f"tallow: {text}", err=True, fg=None if status == INTERRUPTED else "red")
    return status
