"""Apply changed settings and credentials to a running stack of containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.stack.compose.monitoring import MAILBOX_USERS, WEB_CONFIG
from tallow.stack.engines.docker import configuration, layout
from tallow.stack.engines.docker.acceptance import READY_S, read_again, restart
from tallow.stack.engines.docker.containers import containers
from tallow.stack.engines.docker.lifecycle import (
    Progress,
    build_image,
    is_running,
    readable_folders,
    start_containers,
    transaction,
)
from tallow.stack.engines.docker.project import project, wanted_profiles
from tallow.stack.engines.docker.settings_values import inline_files
from tallow.stack.engines.errors import NotRunningError, StackError
from tallow.stack.engines.reload import snapshot
from tallow.stack.engines.reload.apply import ReloadResult, RotationResult
from tallow.stack.engines.reload.candidate import Candidate, validate
from tallow.stack.engines.reload.file_transaction import FOLDER, FileTransaction
from tallow.stack.engines.services.definitions import SETTINGS_FILE
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.prometheus import METRICS_TOKEN_FILE, PASSWORD_FILE

_READ_SETTINGS: Final = frozenset({"tallow", "heartbeat"})
"""The services that read the operator's settings by themselves."""
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
        before = home.options()
        candidate = validate(home, before, environment, progress, running=True)
        variables = candidate.changed_variables(home)
        profiles = wanted_profiles(tuple(before.profiles), candidate.settings)
        after = replace(before, profiles=profiles)
        change, _ = transaction(home, after, candidate)
        if layout.compose_file(home) in change.paths:
            build_image(home, progress)
        change.prepare()
        try:
            result = _Change(home, candidate, change, before, after).apply()
        finally:
            change.close()
        return replace(result, variables=variables, files=change.paths, notes=candidate.notes)


def apply_rotation(home: StateDir) -> RotationResult:
    """Have the containers use new credentials. Prometheus and Alertmanager read them at every request.

    Settings are not read again.

    Args:
        home: the stack's folder, with the new credentials.

    Raises:
        StackError: a service does not start with them.
    """
    with locked(home, "up"):
        settings = snapshot.running_settings(home)
        if settings.metrics_token:  # rotation replaced the operator's token
            write_private(home.secrets / METRICS_TOKEN_FILE, settings.metrics_token)
        values = inline_files(snapshot.read_values(home.secrets / SETTINGS_FILE))
        files = configuration.render(home, home.options(), settings, values)
        change = FileTransaction(files.secrets, (), home.run / FOLDER, readable_folders(home))
        change.prepare()
        change.apply()
        change.close()
        restarted = restart(home, _stale_by_files(home, change))
        if "grafana" in restarted:
            _set_grafana_password(home)
        used = snapshot.read_digests(home)
        snapshot.write_digests(home, replace(used, credentials=snapshot.credential_digests(home)))
        return RotationResult(restarted, keeps_metrics_token=settings.metrics_token is not None)


class _Change:
    """One attempt to have every service use new files.

    Args:
        before: the options of the running stack.
        after: those with the profiles that the new settings need.
    """

    def __init__(
        self,
        home: StateDir,
        candidate: Candidate,
        change: FileTransaction,
        before: StackOptions,
        after: StackOptions,
    ) -> None:
        self._home, self._candidate, self._change = home, candidate, change
        self._before, self._after = before, after
        self._stale: list[str] = []

    def apply(self) -> ReloadResult:
        """Replace the files and have the services use them.

        Raises:
            StackError: a service rejects the change; the files are restored.
        """
        home = self._home
        self._change.apply()
        try:
            reread = [name for name in _SIGNALLED if self._concerns(name) and read_again(home, name)]
            self._stale = self._find_stale()
            restarted = restart(home, self._stale)
            if self._recreates:
                self._use(self._after)
        except (StackError, OSError) as error:
            raise StackError(f"{error}; {self._roll_back()}") from None
        candidate = self._candidate
        snapshot.write_digests(
            home, snapshot.target_digests(home, candidate.component_settings, candidate.values)
        )
        concerned = {*self._stale, *filter(self._concerns, _SIGNALLED)} - {*restarted, *reread}
        held = sorted(concerned & {*containers(project(home))})
        return ReloadResult(reread=tuple(reread), restarted=restarted, held=tuple(held))

    @property
    def _recreates(self) -> bool:
        """Whether services are added or removed, or the Compose file or its variables changed."""
        files = {layout.compose_file(self._home), layout.environment_file(self._home)}
        is_other = tuple(self._before.profiles) != tuple(self._after.profiles)
        return is_other or bool(files & {*self._change.paths})

    def _concerns(self, service: str) -> bool:
        config = self._home.config
        paths = [path.relative_to(config) for path in self._change.paths if path.is_relative_to(config)]
        return any(str(path).startswith(_SIGNALLED[service]) for path in paths)

    def _find_stale(self) -> list[str]:
        """The services that read a changed file or setting at their start only."""
        stale = _stale_by_files(self._home, self._change)
        candidate = self._candidate
        wanted = snapshot.target_digests(self._home, candidate.component_settings, candidate.values)
        changed = snapshot.read_digests(self._home).changed_services(wanted)
        return sorted(stale | (changed & _READ_SETTINGS))

    def _use(self, options: StackOptions) -> None:
        self._home.write_options(options)
        start_containers(self._home)

    def _roll_back(self) -> str:
        """Restore the files, have the services use them, and describe the outcome."""
        self._change.undo()
        steps: list[Callable[[], object]] = [
            partial(read_again, self._home, name) for name in _SIGNALLED if self._concerns(name)
        ]
        if self._recreates:
            steps.append(partial(self._use, self._before))
        steps.append(partial(restart, self._home, self._stale))
        problems = [problem for step in steps if (problem := _problem_of(step))]
        if problems:
            return f"the change was undone, and then: {'; '.join(problems)}"
        return "the change was undone"


def _problem_of(step: Callable[[], object]) -> str:
    try:
        step()
    except StackError as error:
        return str(error)
    return ""


def _stale_by_files(home: StateDir, change: FileTransaction) -> set[str]:
    """The services that read a changed file at their start only."""
    secrets = layout.container_secrets(home)
    stale: set[str] = set()
    for path in change.paths:
        if path.is_relative_to(secrets):
            stale |= {*_RESTARTED_BY_SECRET.get(str(path.relative_to(secrets)), ())}
        elif path.is_relative_to(home.config):
            folder = path.relative_to(home.config).parts[0]
            stale |= {_RESTARTED_BY_FOLDER[folder]} if folder in _RESTARTED_BY_FOLDER else set()
    return stale


def _set_grafana_password(home: StateDir) -> None:
    """Grafana reads its password file at its first start only.

    Raises:
        StackError: Grafana rejects the password.
    """
    password = (home.secrets / PASSWORD_FILE).read_text(encoding="utf-8")
    command = ("exec", "--no-TTY", "grafana", "grafana", "cli", "admin", "reset-admin-password")
    project(home).compose(*command, "--password-from-stdin", stdin=f"{password}\n", seconds=READY_S)
