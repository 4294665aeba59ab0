"""``tallow reload``: changed settings take effect in every service, or in none of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.stack.engines.errors import NotRunningError, StackError
from tallow.stack.engines.reload import snapshot
from tallow.stack.engines.reload.acceptance import reload_configuration, restart_until_ready
from tallow.stack.engines.reload.candidate import Candidate, validate
from tallow.stack.engines.reload.file_transaction import FOLDER, FileTransaction
from tallow.stack.engines.reload.snapshot import ServiceDigests
from tallow.stack.engines.services.control import restart
from tallow.stack.engines.services.definitions import NAMES, SERVICES
from tallow.stack.engines.services.health import probe_all
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.prometheus import METRICS_TOKEN_FILE

_SIGNALLED: Final = tuple(service.name for service in SERVICES if service.reloads_on_sighup)
_NOT_RUNNING: Final = "nothing runs here; start it with: tallow up"


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """What a reload did.

    Attributes:
        variables: the settings that changed.
        files: the files that changed.
        reread: services that read their configuration again.
        restarted: services that were restarted.
        held: services that are stopped and use the change when they are started.
        notes: what the operator should know, one line each.
    """

    variables: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    reread: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def reload(home: StateDir, environment: Mapping[str, str], say: Callable[[str], None]) -> ReloadResult:
    """Bring changed settings into effect.

    Everything is validated before a file is written. A service that refuses a change takes all of it back:
    the files are as they were, and every service uses them.

    Args:
        environment: that of the caller; see :func:`validate`.
        say: is told before a program is fetched.

    Raises:
        NotRunningError: nothing runs.
        StackError: a service does not take the change; one line.
        BadSettingError: a setting cannot be used; nothing was changed.
        OSError: a file cannot be written, such as for a full disk; nothing was changed.
    """
    _see_that_it_runs(home)
    with locked(home, "up"):
        _see_that_it_runs(home)
        candidate = validate(home, home.options(), environment, say, running=True)
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
    """What came of new credentials.

    Attributes:
        restarted: services that were restarted to use them.
        keeps_metrics_token: whether the operator's METRICS_TOKEN stays in use.
    """

    restarted: tuple[str, ...] = ()
    keeps_metrics_token: bool = False


def apply_rotation(home: StateDir) -> RotationResult:
    """Restart the services that read credentials only at their start: those whose credentials changed.

    Settings are not read again.

    Raises:
        StackError: one does not start with them.
    """
    with locked(home, "up"):
        if state_files.supervisor_pid(home) is None:
            return RotationResult()
        if chosen := snapshot.running_settings(home).metrics_token:
            write_private(home.secrets / METRICS_TOKEN_FILE, chosen)  # the operator's is not ours to rotate
        before = snapshot.read_digests(home)
        after = ServiceDigests(before.settings, snapshot.credential_digests(home))
        restarted = restart_until_ready(home, before.changed_services(after), "tallow credentials rotate")
        snapshot.write_digests(home, after)
        return RotationResult(restarted, keeps_metrics_token=chosen is not None)


def has_pending_changes(home: StateDir, candidate: Candidate) -> bool:
    """Whether a reload would change anything."""
    change = FileTransaction(candidate.files, candidate.obsolete, home.run / FOLDER)
    wanted = snapshot.target_digests(home, candidate.component_settings, candidate.values)
    return bool(change.paths or snapshot.read_digests(home).changed_services(wanted))


def _see_that_it_runs(home: StateDir) -> None:
    if state_files.supervisor_pid(home) is None:
        raise NotRunningError(_NOT_RUNNING)


class _Attempt:
    """One try to have every service take the new files.

    Args:
        failing: services that did not work before. They cannot prevent a change for the others.
    """

    def __init__(self, home: StateDir, change: FileTransaction, failing: Collection[str]) -> None:
        self.reread: list[str] = []
        self.restarted: list[str] = []
        self.problems: list[str] = []
        self._home = home
        self._change = change
        self._failing = failing

    def reread_configuration(self, name: str) -> None:
        """Have a service read its configuration; one that waits for its next start is started now.

        Raises:
            StackError: it does not take it.
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
        """Restart a service and wait until it can work.

        Raises:
            StackError: it cannot.
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
    """Replace the files and have every service take them: those that read them again and that restarted.

    Raises:
        StackError: a service does not; the files are as they were, unless it did not work before either.
        OSError: a file cannot be replaced; likewise.
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
        for name in sorted((stale | (_waiting(home) - {*_SIGNALLED})) - {*held}):
            attempt.restart(name, reason)
        snapshot.write_digests(home, wanted)
    except (StackError, OSError) as error:
        raise StackError(f"{_words(error)}; {_take_back(home, change, stale)}") from None
    if attempt.problems:
        raise StackError(
            f"{'; '.join(attempt.problems)}; it did not work before either; the change is in effect elsewhere"
        )
    return tuple(attempt.reread), tuple(attempt.restarted)


def _waiting(home: StateDir) -> set[str]:
    """Services that have failed and wait for their next start."""
    return {
        name for name, running in state_files.read_status(home).services.items() if running.state == "waiting"
    }


def _take_back(home: StateDir, change: FileTransaction, restarted: Iterable[str]) -> str:
    """Bring the files back and have services use them: in words, how that went."""
    change.undo()
    attempt = _Attempt(home, change, NAMES)
    for name in _SIGNALLED:
        attempt.reread_configuration(name)
    for name in sorted(restarted):
        attempt.restart(name, "tallow reload: the change was taken back")
    if attempt.problems:
        return f"the change was taken back, and then: {'; '.join(attempt.problems)}"
    return "the change was taken back"


def _words(error: StackError | OSError) -> str:
    if isinstance(error, StackError):
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
