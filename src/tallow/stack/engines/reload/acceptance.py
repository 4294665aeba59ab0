"""Have services use a new configuration, and check that they do: neither SIGHUP nor a restart reports it."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import psutil

from tallow.stack.engines.errors import StackError
from tallow.stack.engines.reload.log_excerpt import LogExcerpt
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.control import restart
from tallow.stack.engines.services.definitions import SERVICES, Service, ports
from tallow.stack.engines.services.health import probe
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import ProcessStatus

START_S: Final = 60.0
"""Seconds to wait for a service that starts; Prometheus may have to replay a long log."""
RELOAD_S: Final = 60.0
POLL_S: Final = 0.1
_METRIC: Final = re.compile(
    r"^(?:prometheus|alertmanager)_config_last_reload_(successful|success_timestamp_seconds) (\S+)$",
    re.MULTILINE,
)
Value = TypeVar("Value")


class ChangeRejectedError(StackError):
    """A service did not accept a change. The text is one line."""


@dataclass(frozen=True, slots=True)
class ReloadState:
    """A service's last attempt to read its configuration, from its metrics.

    Attributes:
        successful: whether it accepted the configuration.
        at: when it last accepted one, in seconds since the epoch; 0 if it never did.
    """

    successful: bool
    at: float


def reload_state(service: str, home: StateDir) -> ReloadState | None:
    """The reload state of Prometheus or Alertmanager; None while it does not answer."""
    try:
        metrics = Api.of(service, home).text("/metrics")
    except (StackError, OSError):
        return None
    found = {name: float(value) for name, value in _METRIC.findall(metrics)}
    return ReloadState(found.get("successful") == 1, found.get("success_timestamp_seconds", 0.0))


def reload_configuration(service: str, home: StateDir, files: Iterable[Path], *, changed: bool) -> bool:
    """Have a service read its configuration, unless it uses the present files already.

    Args:
        service: ``prometheus`` or ``alertmanager``.
        files: its configuration files.
        changed: whether a file has just changed.

    Returns:
        Whether it read its configuration.

    Raises:
        ChangeRejectedError: it did not accept the configuration, does not run, or did not answer in time.
    """
    log = LogExcerpt(home.logs, service)
    before = _wait(lambda: _state_while_status(service, home), START_S)
    if before is None:
        raise ChangeRejectedError(
            f"{service} is starting and does not answer yet; repeat when it is healthy: tallow reload"
        )
    if not changed and before.successful and before.at > max(path.stat().st_mtime for path in files):
        return False
    signalled_at = time.time()
    _signal(service, home)
    after = _wait(lambda: _decided(reload_state(service, home), before, signalled_at, log), RELOAD_S)
    if after is None or not after.successful:
        reason = log.error() or f"see: tallow logs {service} --level error"
        raise ChangeRejectedError(f"{service} refuses the configuration: {reason}")
    return True


def _decided(
    state: ReloadState | None, before: ReloadState, signalled_at: float, log: LogExcerpt
) -> ReloadState | None:
    """The state, once it shows whether the configuration was accepted after the signal."""
    if state is None:
        return None
    if state.successful:
        return state if state.at >= signalled_at else None
    # If the configuration before was rejected too, only the log shows a new rejection.
    return state if before.successful or "config" in log.error().lower() else None


def restart_until_ready(home: StateDir, names: Iterable[str], reason: str) -> tuple[str, ...]:
    """Restart services and wait until each is ready. Held ones stay down.

    Args:
        reason: who requests the restart and why, for the supervisor's log.

    Returns:
        The services that were restarted.

    Raises:
        ChangeRejectedError: a service ended or is not ready in time; the text has its error message.
        StackError: the supervisor did not restart a service.
    """
    logs = {name: LogExcerpt(home.logs, name) for name in names}
    restarts = {name: _status(name, home).restarts for name in logs}
    restarted = restart(home, logs, reason) if logs else ()
    port_of = ports(home.options().port_offset)
    for service in SERVICES:
        if service.name in restarted:
            _wait_until_ready(
                service, port_of[service.name], home, restarts[service.name], logs[service.name]
            )
    return restarted


def _wait_until_ready(service: Service, port: int, home: StateDir, restarts: int, log: LogExcerpt) -> None:
    deadline = time.monotonic() + START_S
    while not (health := probe(service, port, home)).healthy:
        status = _status(service.name, home)
        if status.state == "waiting" or status.restarts > restarts:
            raise ChangeRejectedError(
                f"{service.name} does not start: {log.error() or _describe_exit(status)}"
            )
        if time.monotonic() > deadline:
            raise ChangeRejectedError(f"{service.name} is not ready within {START_S:.0f} s ({health.why})")
        time.sleep(POLL_S)


def _state_while_status(service: str, home: StateDir) -> ReloadState | None:
    status = _status(service, home)
    if status.state == "waiting":
        raise ChangeRejectedError(f"{service} does not run: {_describe_exit(status)}")
    return reload_state(service, home)


def _describe_exit(status: ProcessStatus) -> str:
    return status.last_exit.reason if status.last_exit else "it ended"


def _status(service: str, home: StateDir) -> ProcessStatus:
    return state_files.read_status(home).services.get(service, ProcessStatus())


def _signal(service: str, home: StateDir) -> None:
    process = _status(service, home).process()
    try:
        if process is None:
            raise psutil.NoSuchProcess(0)
        process.send_signal(signal.SIGHUP)
    except psutil.Error:
        raise ChangeRejectedError(f"{service} does not run; see: tallow status") from None


def _wait(read: Callable[[], Value | None], seconds: float) -> Value | None:
    """The first value that is not None; None if there is none in time."""
    deadline = time.monotonic() + seconds
    while (value := read()) is None and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return value
