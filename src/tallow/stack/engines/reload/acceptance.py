"""Whether each service took its new configuration: neither SIGHUP nor a restart tells by itself."""

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
"""How long a service that starts is waited for; Prometheus may have a long log to replay."""
RELOAD_S: Final = 60.0
POLL_S: Final = 0.1
_METRIC: Final = re.compile(
    r"^(?:prometheus|alertmanager)_config_last_reload_(successful|success_timestamp_seconds) (\S+)$",
    re.MULTILINE,
)
Answer = TypeVar("Answer")


class ChangeRejectedError(StackError):
    """A service did not take a change; one line."""


@dataclass(frozen=True, slots=True)
class ReloadState:
    """What a service says of its last attempt to read its configuration.

    Attributes:
        successful: whether it took the configuration.
        at: when it last took one, in seconds since the epoch; 0 if it never did.
    """

    successful: bool
    at: float


def reload_state(service: str, home: StateDir) -> ReloadState | None:
    """The state of Prometheus or Alertmanager; None while it does not answer."""
    try:
        metrics = Api.of(service, home).text("/metrics")
    except (StackError, OSError):
        return None
    found = {name: float(value) for name, value in _METRIC.findall(metrics)}
    return ReloadState(found.get("successful") == 1, found.get("success_timestamp_seconds", 0.0))


def reload_configuration(service: str, home: StateDir, files: Iterable[Path], *, changed: bool) -> bool:
    """Have a service read its configuration unless it uses the present files already; whether it had to.

    Args:
        service: ``prometheus`` or ``alertmanager``.
        files: its configuration.
        changed: whether a file has just changed.

    Raises:
        RejectedError: it did not take the configuration, does not run, or did not answer in time.
    """
    log = LogExcerpt(home.logs, service)
    before = _wait(lambda: _state_while_running(service, home), START_S)
    if before is None:
        raise ChangeRejectedError(
            f"{service} does not answer yet, and reads its configuration when it has started; "
            "to be sure, repeat: tallow reload"
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
    """The state, once it tells whether the configuration was taken after the signal."""
    if state is None:
        return None
    if state.successful:
        return state if state.at >= signalled_at else None
    # A service that had refused one before says so again in its log alone.
    return state if before.successful or "config" in log.error().lower() else None


def restart_until_ready(home: StateDir, names: Iterable[str], reason: str) -> tuple[str, ...]:
    """Restart services and wait until each can work: those that were restarted. Held ones stay down.

    Args:
        reason: who asks and why, for the supervisor's log.

    Raises:
        RejectedError: one has ended, or cannot work in time; with what it said.
        StackError: the supervisor did not restart one.
    """
    logs = {name: LogExcerpt(home.logs, name) for name in names}
    restarts = {name: _running(name, home).restarts for name in logs}
    restarted = restart(home, logs, reason) if logs else ()
    known = ports(home.options().port_offset)
    for service in SERVICES:
        if service.name in restarted:
            _wait_until_ready(service, known[service.name], home, restarts[service.name], logs[service.name])
    return restarted


def _wait_until_ready(service: Service, port: int, home: StateDir, restarts: int, log: LogExcerpt) -> None:
    deadline = time.monotonic() + START_S
    while not (health := probe(service, port, home)).healthy:
        running = _running(service.name, home)
        if running.state == "waiting" or running.restarts > restarts:
            raise ChangeRejectedError(f"{service.name} does not start: {log.error() or _end_of(running)}")
        if time.monotonic() > deadline:
            raise ChangeRejectedError(f"{service.name} is not ready within {START_S:.0f} s ({health.why})")
        time.sleep(POLL_S)


def _state_while_running(service: str, home: StateDir) -> ReloadState | None:
    running = _running(service, home)
    if running.state == "waiting":
        raise ChangeRejectedError(f"{service} does not run: {_end_of(running)}")
    return reload_state(service, home)


def _end_of(running: ProcessStatus) -> str:
    return running.last_exit.reason if running.last_exit else "it ended"


def _running(service: str, home: StateDir) -> ProcessStatus:
    return state_files.read_status(home).services.get(service, ProcessStatus())


def _signal(service: str, home: StateDir) -> None:
    process = _running(service, home).process()
    try:
        if process is None:
            raise psutil.NoSuchProcess(0)
        process.send_signal(signal.SIGHUP)
    except psutil.Error:
        raise ChangeRejectedError(f"{service} does not run; see: tallow status") from None


def _wait(ask: Callable[[], Answer | None], seconds: float) -> Answer | None:
    deadline = time.monotonic() + seconds
    while (answer := ask()) is None and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return answer
