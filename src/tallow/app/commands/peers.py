"""Runs a peer for ``send`` and ``receive``: signals, leftovers of killed runs, and exit statuses."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import click

from tallow.app.channels.channel import ChannelError
from tallow.app.commands.executor import DaemonExecutor
from tallow.app.commands.interrupts import SignalledError, run_until_signalled, signals_interrupt
from tallow.app.crypto.errors import CancelledByPeerError, ProtocolError
from tallow.app.files import temporary
from tallow.app.files.errors import FileError
from tallow.app.peer import user_files
from tallow.app.peer.display.display import Display
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
from tallow.app.peer.transfer import resume_state
from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.monitoring.lifecycle.warn_once import suppress_warning

KNOWN: Final = (ProtocolError, PeerError, FileError, ChannelError, LinkError, OSError)
FAILED: Final = 1
INTERRUPTED: Final = 130
"""Exit statuses besides 0, as for every command (docs/commands.md). 1 also if the other side cancelled."""
AFTER_SIGNAL_S: Final = 0.5
"""Seconds that the readers of the output have after a signal: everything must end within two."""


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop, which is 50 % faster over WebRTC; None (asyncio's) if it is not installed."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


@dataclass
class Advice:
    """How to go on after the user cancelled; empty if the command has shown it."""

    text: str


def run_transfer(display: Display, work: Coroutine[Any, Any, None], advice: Advice) -> None:
    """Run a peer, show how it ended, and exit with its status.

    Args:
        advice: for a user who cancelled.
    """
    status = FAILED
    try:
        status = _run(display, work, advice)
    finally:
        status = finish_output(display.end, status, signalled=status == INTERRUPTED)
    sys.exit(status)


def _run(display: Display, work: Coroutine[Any, Any, None], advice: Advice) -> int:
    """Run a peer, show how it ended, and return the exit status."""
    try:
        configure_logging()
        ProxySettings.read(warn=lambda line: _show_warning(display, line))
        with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
            runner.get_loop().set_default_executor(DaemonExecutor())
            runner.run(run_until_signalled(_clean_up_and_run(work)))
    except (KeyboardInterrupt, SignalledError):
        work.close()  # it may not have started
        display("finished", outcome="cancelled", by="this side")
        display.show_end(f"cancelled; {advice.text}" if advice.text else "cancelled", failed=False)
        return INTERRUPTED
    except NotConfirmedError as error:
        display("finished", outcome="cancelled", by="this side")
        display.show_end(str(error), failed=True)
        return FAILED
    except CancelledByPeerError as error:
        display("finished", outcome="cancelled", by="other side")
        display.show_end(str(error), failed=True)
        return FAILED
    except Exception as error:
        work.close()
        display("error", type=error_labels(error)[0], message=one_line(error))
        display("finished", outcome="failed")
        if not isinstance(error, KNOWN):
            raise
        display.show_end(one_line(error), failed=True)
        return command_error(error).exit_code
    return 0


def finish_output(end: Callable[[float | None], bool], status: int, *, signalled: bool) -> int:
    """Wait for the readers of the output, briefly after a signal; a signal ends the wait.

    Args:
        end: waits at most the given seconds; returns whether standard output has failed.
        status: exit status of the command.

    Returns:
        The exit status: a failure if standard output cannot be written.
    """
    failed = False
    with suppress(KeyboardInterrupt), signals_interrupt():
        failed = end(AFTER_SIGNAL_S if signalled else None)
    return status or (FAILED if failed else 0)


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
