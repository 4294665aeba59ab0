"""``tallow reload``: apply changed settings to every service, or to none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.reload import snapshot
from tallow.stack.engines.reload.acceptance import reload_configuration, restart_until_ready
from tallow.stack.engines.reload.candidate import Candidate, validate
from tallow.stack.engines.reload.file_transaction import FOLDER, FileTransaction
from tallow.stack.engines.reload.snapshot import ServiceDigests
from tallow.stack.engines.services.control import require_supervisor, restart
from tallow.stack.engines.services.definitions import NAMES, SERVICES
from tallow.stack.engines.services.health import probe_all
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.prometheus import METRICS_TOKEN_FILE

_SIGNALLED: Final = tuple(service.name for service in SERVICES if service.reloads_on_sighup)


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """What a reload did.

    Attributes:
        variables: the settings that changed.
        files: the files that changed.
        reread: services that read their configuration again.
        restarted: services that were restarted.
        held: services that `down` stopped; they use the change when they are started.
        notes: hints for the operator, one line each.
    """

    variables: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    reread: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def reload(home: StateDir, environment: Mapping[str, str], progress: Callable[[str], None]) -> ReloadResult:
    """Apply changed settings.

    Everything is validated before a file is written. If a service rejects the change, the files are restored
    and every service uses them again.

    Args:
        home: the stack's folder.
        environment: the caller's environment; see :func:`validate`.
        progress: called with a line before a program is fetched.

    Raises:
        NotRunningError: no stack runs in ``home``.
        StackError: a service rejects the change; one line.
        BadSettingError: a setting is invalid; nothing was changed.
        OSError: a file cannot be written, such as on a full disk; nothing was changed.
    """
    require_supervisor(home)
    with locked(home, "up"):
        require_supervisor(home)
        candidate = validate(home, home.options(), environment, progress, running=True)
        variables = candidate.changed_variables(home)
        change = FileTransaction(candidate.files, candidate.obsolete, home.run / FOLDER)
        change.prepare()
        try:
            reread, restarted = _apply(home, candidate, change, variables)
        finally:
            change.close()
        held = state_files.read_plan(home).held
        return ReloadResult(variables, change.paths, reread, restarted, held, candidate.notes)


@dataclass(frozen=True, slots=True)
class RotationResult:
    """The effects of new credentials.

    Attributes:
        restarted: services that were restarted to use them.
        keeps_metrics_token: whether the metrics token is the operator's METRICS_TOKEN, which is kept.
    """

    restarted: tuple[str, ...] = ()
    keeps_metrics_token: bool = False


def apply_rotation(home: StateDir) -> RotationResult:
    """Restart the services whose credentials changed and that read them at their start only.

    Settings are not read again.

    Raises:
        StackError: a service does not start with the new credentials.
    """
    with locked(home, "up"):
        if state_files.supervisor_pid(home) is None:
            return RotationResult()
        if token := snapshot.running_settings(home).metrics_token:
            write_private(home.secrets / METRICS_TOKEN_FILE, token)  # rotation replaced the operator's token
        before = snapshot.read_digests(home)
        after = ServiceDigests(before.settings, snapshot.credential_digests(home))
        restarted = restart_until_ready(home, before.changed_services(after), "tallow credentials rotate")
        snapshot.write_digests(home, after)
        return RotationResult(restarted, keeps_metrics_token=token is not None)


def has_pending_changes(home: StateDir, candidate: Candidate) -> bool:
    """Whether a reload would change a file or restart a service."""
    change = FileTransaction(candidate.files, candidate.obsolete, home.run / FOLDER)
    wanted = snapshot.target_digests(home, candidate.component_settings, candidate.values)
    return bool(change.paths or snapshot.read_digests(home).changed_services(wanted))


class _Attempt:
    """One attempt to have every service use the new files.

    Args:
        failing: services that were unhealthy before; their errors are collected in :attr:`problems` and do
            not prevent the change.
    """

    def __init__(self, home: StateDir, change: FileTransaction, failing: Collection[str]) -> None:
        self.reread: list[str] = []
        self.restarted: list[str] = []
        self.problems: list[str] = []
        self._home = home
        self._change = change
        self._failing = failing

    def reread_configuration(self, name: str) -> None:
        """Have a service read its configuration; one that waits for a restart is restarted now.

        Raises:
            StackError: it rejects the configuration.
        """
        folder = self._home.config / name
        files = [path for path in folder.rglob("*") if path.is_file()]
        changed = any(folder in path.parents for path in self._change.paths)
        with self._tolerating(name):
            if state_files.read_status(self._home).services[name].state == "waiting":
                restart(self._home, [name], "tallow reload")
            if reload_configuration(name, self._home, files, changed=changed):
                self.reread.append(name)

    def restart(self, name: str, reason: str) -> None:
        """Restart a service and wait until it is ready.

        Raises:
            StackError: it is not ready in time.
        """
        with self._tolerating(name):
            self.restarted += restart_until_ready(self._home, [name], reason)

    @contextmanager
    def _tolerating(self, name: str) -> Iterator[None]:
        try:
            yield
        except StackError as error:
            if name not in self._failing:
                raise
            self.problems.append(str(error))


def _apply(
    home: StateDir, candidate: Candidate, change: FileTransaction, variables: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Replace the files and have every service use them.

    Returns:
        The services that read their configuration again, and those that were restarted.

    Raises:
        StackError: a service rejects the change. The files are restored, unless it was unhealthy before.
        OSError: a file cannot be replaced; the files are restored.
    """
    before = snapshot.read_digests(home)
    held = state_files.read_plan(home).held
    failing = {name for name, health in probe_all(home).items() if not health.healthy} - {*held}
    reason = f"tallow reload: {', '.join(variables)} changed" if variables else "tallow reload"
    attempt, stale = _Attempt(home, change, failing), set[str]()
    change.apply()
    try:
        for name in _SIGNALLED:
            if name not in held:
                attempt.reread_configuration(name)
        wanted = snapshot.target_digests(home, candidate.component_settings, candidate.values)
        stale = before.changed_services(wanted)
        for name in sorted((stale | (_waiting_services(home) - {*_SIGNALLED})) - {*held}):
            attempt.restart(name, reason)
        snapshot.write_digests(home, wanted)
    except (StackError, OSError) as error:
        raise StackError(f"{_describe(error)}; {_roll_back(home, change, stale)}") from None
    if attempt.problems:
        raise StackError(
            f"{'; '.join(attempt.problems)}; it was unhealthy before; the other services use the change"
        )
    return tuple(attempt.reread), tuple(attempt.restarted)


def _waiting_services(home: StateDir) -> set[str]:
    """Services that have failed and wait for their restart."""
    return {
        name for name, running in state_files.read_status(home).services.items() if running.state == "waiting"
    }


def _roll_back(home: StateDir, change: FileTransaction, restarted: Iterable[str]) -> str:
    """Restore the files, have services use them, and describe the outcome."""
    change.undo()
    attempt = _Attempt(home, change, NAMES)
    for name in _SIGNALLED:
        attempt.reread_configuration(name)
    for name in sorted(restarted):
        attempt.restart(name, "tallow reload: the change was undone")
    if attempt.problems:
        return f"the change was undone, and then: {'; '.join(attempt.problems)}"
    return "the change was undone"


def _describe(error: StackError | OSError) -> str:
    if isinstance(error, StackError):
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
