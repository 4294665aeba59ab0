"""Describe why a process ended, for the supervisor's log and `tallow status`."""

from __future__ import annotations

import signal
import time

from tallow.stack.engines.supervisor.state_files import ExitCause, ExitRecord


def exit_record(
    cause: ExitCause, status: int | None, detail: str = "", *, killed: bool = False
) -> ExitRecord:
    """The record of a process that ended now.

    Args:
        cause: see :class:`ExitRecord`.
        status: as :attr:`subprocess.Popen.returncode`; None if the process did not start.
        detail: who requested the end, which check failed, or why the process could not be started.
        killed: whether the supervisor had to send SIGKILL after SIGTERM.
    """
    texts: dict[ExitCause, str] = {
        "exited": _describe_status(status),
        "not started": f"cannot be started: {detail}",
        "unresponsive": f"ended by the supervisor: {detail}",
        "restart": f"restarted on request: {detail}",
        "stop": f"stopped on request: {detail}",
    }
    reason = texts[cause] + ("; it ignored SIGTERM and was killed" if killed else "")
    return ExitRecord(cause, status, time.time(), reason)


def signal_name(number: int) -> str:
    """The name of a signal, such as ``SIGKILL``, or ``signal 99`` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _describe_status(status: int | None) -> str:
    if status is None or status >= 0:
        return f"ended by itself with exit status {status}"
    name = signal_name(-status)
    hint = "; the kernel sends it when memory runs out" if name == "SIGKILL" else ""
    return f"ended by {name}, which the supervisor did not send{hint}"
