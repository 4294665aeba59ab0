"""Apply changed settings and credentials to a running stack of containers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from tallow.stack.compose.monitoring import MAILBOX_USERS, WEB_CONFIG
from tallow.stack.engines.docker import layout
from tallow.stack.engines.docker.client import CHANGE_S, Project
from tallow.stack.engines.docker.containers import containers
from tallow.stack.engines.docker.failure import describe_failure
from tallow.stack.engines.docker.lifecycle import Progress, is_running, transaction
from tallow.stack.engines.docker.project import project, wanted_profiles
from tallow.stack.engines.errors import NotRunningError, StackError
from tallow.stack.engines.reload import snapshot
from tallow.stack.engines.reload.acceptance import ReloadState, reload_state
from tallow.stack.engines.reload.apply import ReloadResult, RotationResult
from tallow.stack.engines.reload.candidate import Candidate, validate
from tallow.stack.engines.reload.file_transaction import FileTransaction
from tallow.stack.engines.services.definitions import SETTINGS_FILE
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.prometheus import METRICS_TOKEN_FILE, PASSWORD_FILE

READY_S: Final = 90.0
POLL_S: Final = 0.2
_SIGNALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "prometheus": ("prometheus", "alerting/prometheus-rules"),
    "alertmanager": ("alerting/alertmanager", "alerting/templates"),
}
"""The services that read their configuration again on SIGHUP, and the beginnings of their files' paths."""
_RESTARTED_BY_FOLDER: Final[Mapping[str, str]] = {
    "grafana": "grafana",
    "loki": "loki",
    "collector": "collector",
    "promtail": "promtail",
}
_RESTARTED_BY_SECRET: Final[Mapping[str, tuple[str, ...]]] = {
    METRICS_TOKEN_FILE: ("tallow",),
    PASSWORD_FILE: ("heartbeat", "grafana"),
    WEB_CONFIG: ("node-exporter",),
    MAILBOX_USERS: ("mailbox",),
    "turn/turnserver.conf": ("turn",),
}
"""A secret is mounted as a file of its own: a container sees a new one after its restart."""


def reload(home: StateDir, environment: Mapping[str, str], progress: Progress) -> ReloadResult:
    """Apply changed settings. If a service rejects the change, the files are restored.

    Args:
        home: the stack's folder.
        environment: the caller's environment; see :func:`validate`.
        progress: called with a line before something that takes time.

    Raises:
        NotRunningError: no container of the stack runs.
        StackError: a service rejects the change; one line.
        BadSettingError: a setting is invalid; nothing was changed.
        OSError: a file cannot be written; nothing was changed.
    """
    with locked(home, "up"):
        if not is_running(home):
            raise NotRunningError("nothing runs here; start it with: tallow up")
        options = home.options()
        candidate = validate(home, options, environment, progress, running=True)
        variables = candidate.changed_variables(home)
        profiles = wanted_profiles(tuple(options.profiles), candidate.settings)
        change, _ = transaction(home, replace(options, profiles=profiles), candidate)
        change.prepare()
        try:
            result = _apply(home, candidate, change, profiles)
        finally:
            change.close()
        return replace(result, variables=variables, files=change.paths, notes=candidate.notes)


def apply_rotation(home: StateDir, environment: Mapping[str, str]) -> RotationResult:
    """Have the containers use new credentials. Prometheus and Alertmanager read them at every request.

    Args:
        home: the stack's folder, with the new credentials.
        environment: the caller's environment; see :func:`validate`.

    Raises:
        StackError: a service does not start with them.
    """
    with locked(home, "up"):
        candidate = validate(home, home.options(), environment, lambda _: None, running=True)
        change, _ = transaction(home, home.options(), candidate)
        change.prepare()
        change.apply()
        change.close()
        restarted = restart(home, _stale(home, candidate, change))
        if "grafana" in restarted:
            _set_grafana_password(home)
        return RotationResult(restarted, keeps_metrics_token=_keeps_token(home))


def restart(home: StateDir, names: Iterable[str]) -> tuple[str, ...]:
    """Restart services that run, and wait until each is healthy.

    Returns:
        The services that were restarted; those that `down` stopped stay down.

    Raises:
        StackError: a service is not healthy in time.
    """
    used = project(home)
    found = containers(used)
    chosen = tuple(name for name in names if name in found and found[name].state().name != "stopped")
    if chosen:
        used.compose("restart", *chosen, seconds=CHANGE_S)
        wait_until_healthy(used, chosen)
    return chosen


def wait_until_healthy(used: Project, names: Iterable[str]) -> None:
    """Wait for services.

    Raises:
        StackError: one is not healthy in time, or ended; one line with the reason.
    """
    deadline = time.monotonic() + READY_S
    for name in names:
        while not (found := containers(used)[name]).state().is_healthy:
            if found.restarts > 0 or time.monotonic() > deadline:
                raise StackError(describe_failure(found))
            time.sleep(POLL_S)


def _apply(
    home: StateDir, candidate: Candidate, change: FileTransaction, profiles: tuple[str, ...]
) -> ReloadResult:
    used, options = project(home), home.options()
    before = {name: reload_state(name, home) for name in _SIGNALLED}
    change.apply()
    reread: list[str] = []
    try:
        for name in _SIGNALLED:
            if _concerns(home, change, name):
                _read_again(home, used, name, before[name])
                reread.append(name)
        restarted = restart(home, _stale(home, candidate, change))
    except (StackError, OSError) as error:
        raise StackError(f"{error}; {_roll_back(home, used, change)}") from None
    if profiles != tuple(options.profiles) or _recreates(home, change):
        home.write_options(replace(options, profiles=profiles))
        project(home).compose("up", "--detach", "--no-build", "--remove-orphans", seconds=CHANGE_S)
    snapshot.write_digests(
        home, snapshot.target_digests(home, candidate.component_settings, candidate.values)
    )
    return ReloadResult(reread=tuple(reread), restarted=restarted)


def _concerns(home: StateDir, change: FileTransaction, service: str) -> bool:
    paths = [path.relative_to(home.config) for path in change.paths if path.is_relative_to(home.config)]
    return any(str(path).startswith(_SIGNALLED[service]) for path in paths)


def _read_again(home: StateDir, used: Project, service: str, before: ReloadState | None) -> None:
    """Send SIGHUP, and wait until the service's metrics show the result.

    Raises:
        StackError: it does not run, does not answer, or rejects the configuration.
    """
    if before is None:
        raise StackError(f"{service} does not answer; see: tallow status")
    at = time.time()
    used.compose("kill", "--signal", "SIGHUP", service)
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        state = reload_state(service, home)
        if state and state.successful and state.at >= at - 1:
            return
        if state and not state.successful:
            break
        time.sleep(POLL_S)
    reason = describe_failure(containers(used)[service], "refuses the configuration")
    raise StackError(reason)


def _stale(home: StateDir, candidate: Candidate, change: FileTransaction) -> list[str]:
    """The services that read a changed file at their start only."""
    secrets = layout.container_secrets(home)
    stale: set[str] = set()
    for path in change.paths:
        if path.is_relative_to(secrets):
            stale |= {*_RESTARTED_BY_SECRET.get(str(path.relative_to(secrets)), ())}
        elif path.is_relative_to(home.config):
            folder = path.relative_to(home.config).parts[0]
            stale |= {_RESTARTED_BY_FOLDER[folder]} if folder in _RESTARTED_BY_FOLDER else set()
    wanted = snapshot.target_digests(home, candidate.component_settings, candidate.values)
    changed = snapshot.read_digests(home).changed_services(wanted)
    if secrets / SETTINGS_FILE in change.paths:
        stale |= changed & {"tallow", "heartbeat"}
    return sorted(stale)


def _recreates(home: StateDir, change: FileTransaction) -> bool:
    """Whether the Compose file or its variables changed."""
    return bool({layout.compose_file(home), layout.environment_file(home)} & {*change.paths})


def _roll_back(home: StateDir, used: Project, change: FileTransaction) -> str:
    change.undo()
    try:
        for name in _SIGNALLED:
            used.compose("kill", "--signal", "SIGHUP", name)
        restart(home, ("tallow", "heartbeat"))
    except StackError as error:
        return f"the change was undone, and then: {error}"
    return "the change was undone"


def _set_grafana_password(home: StateDir) -> None:
    """Grafana reads its password file at its first start only.

    Raises:
        StackError: Grafana rejects the password.
    """
    password = (home.secrets / PASSWORD_FILE).read_text(encoding="utf-8")
    command = ("exec", "--no-TTY", "grafana", "grafana", "cli", "admin", "reset-admin-password")
    project(home).compose(*command, "--password-from-stdin", stdin=f"{password}\n", seconds=READY_S)


def _keeps_token(home: StateDir) -> bool:
    return snapshot.running_settings(home).metrics_token is not None
