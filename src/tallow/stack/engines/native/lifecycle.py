"""The native engine: programs of this machine, under a supervisor, without root and without containers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import psutil

from tallow.monitoring.lifecycle.private_files import append_private
from tallow.stack import credentials
from tallow.stack.engines import configuration
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.native import release
from tallow.stack.engines.processes.managed_process import TERMINATE_S
from tallow.stack.engines.programs.programs import Program, ensure
from tallow.stack.engines.reload.candidate import Candidate, validate
from tallow.stack.engines.reload.file_transaction import FOLDER, FileTransaction
from tallow.stack.engines.reload.snapshot import target_digests, write_digests
from tallow.stack.engines.services import ports
from tallow.stack.engines.services.control import STOP_S, wait_until
from tallow.stack.engines.services.definitions import SERVICES, Service, render_command
from tallow.stack.engines.services.definitions import ports as ports_of
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import SupervisorPlan, Task

START_S: Final = 10.0

Progress = Callable[[str], None]


def start(
    home: StateDir, choices: StackOptions, say: Progress, candidate: Candidate | None = None
) -> Candidate:
    """Start what does not run yet; returns before everything is healthy.

    Args:
        say: is told before something takes time.
        candidate: the settings, if they have been validated already.

    Returns:
        The settings that were found. A stack that ran already uses those it was started with.

    Raises:
        StackError, HomeError, MissingProgramError, PortTakenError, BadSettingError: one clear line.
    """
    home.make()
    with locked(home, "up"):
        if running := state_files.supervisor_pid(home):
            require_same_ports(home.options(), choices)
            candidate = candidate or validate(home, home.options(), os.environ, say, running=True)
            here = {task.name for task in state_files.read_plan(home).tasks}
            missing = [one for one in SERVICES if one.name not in here]
            added = _tasks(home, home.options(), ensure_programs(say, missing), missing)
            _update(home, choices, added, running)
            return candidate
        end_orphans(home)
        candidate = candidate or validate(home, choices, os.environ, say, running=False)
        programs = ensure_programs(say)
        tasks = _tasks(home, choices, programs, SERVICES)
        credentials.create_missing(home.secrets)
        _write(home, candidate)
        home.write_options(choices)
        new = SupervisorPlan(
            tasks, liveness_timeout=choices.liveness_timeout, release=release.current(programs)
        )
        state_files.write_plan(home, new)
        _supervise(home, candidate.service_environment())
        return candidate


def stop(home: StateDir, reason: str = "tallow down") -> None:
    """Stop everything, orphans of a killed supervisor as well; data stays.

    Args:
        reason: for the supervisor's log.

    Raises:
        StackError: the supervisor does not end.
    """
    if not home.run.is_dir():
        return
    with locked(home, "up"):
        if running := state_files.supervisor_pid(home):
            state_files.write_plan(home, replace(state_files.read_plan(home), stop_reason=reason))
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(running)
                process.terminate()
                wait_until(
                    lambda: not process.is_running(), STOP_S, f"the supervisor (pid {running}) does not end"
                )
        end_orphans(home)


def end_orphans(home: StateDir) -> None:
    """End programs that a killed supervisor left behind."""
    left = [running.process() for running in state_files.read_status(home).services.values()]
    processes = [process for process in left if process]
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
            process.resume()  # a stopped process does not handle SIGTERM
    _, alive = psutil.wait_procs(processes, timeout=TERMINATE_S)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()


def require_same_ports(had: StackOptions, wanted: StackOptions) -> None:
    """See that a stack that runs is wanted on the ports that it has.

    Raises:
        StackError: it is not.
    """
    if had.port_offset != wanted.port_offset:
        raise StackError(
            f"it runs already, with --port-offset {had.port_offset}; stop it first (tallow down), "
            "or start a second one with another --home"
        )


def ensure_programs(say: Progress, services: Sequence[Service] = SERVICES) -> dict[str, Program]:
    """The programs of some services.

    Raises:
        MissingProgramError: one cannot be had.
    """
    return ensure((service.program for service in services if service.program), say)


def _update(home: StateDir, choices: StackOptions, added: tuple[Task, ...], supervisor: int) -> None:
    """Have a running supervisor start what it does not run, and take over what may change meanwhile."""
    seconds = choices.liveness_timeout
    home.write_options(replace(home.options(), liveness_timeout=seconds))

    def change(told: SupervisorPlan) -> SupervisorPlan:
        return replace(told, tasks=(*told.tasks, *added), held=(), liveness_timeout=seconds)

    state_files.update_plan(home, change, supervisor)


def _tasks(
    home: StateDir, choices: StackOptions, programs: dict[str, Program], services: Sequence[Service]
) -> tuple[Task, ...]:
    """What the supervisor needs to know of some services, whose ports must be free."""
    known = ports_of(choices.port_offset)
    ports.require_free({service.name: known[service.name] for service in services})
    return tuple(_task(service, home, choices, programs) for service in services)


def _task(service: Service, home: StateDir, choices: StackOptions, programs: dict[str, Program]) -> Task:
    arguments, environment = render_command(service, home, choices)
    folder = choices.env_folder if service.reads_settings else str(home.data)
    probe = service.probe(ports_of(choices.port_offset)[service.name], home.secrets)
    if service.program is None:
        return Task(service.name, arguments, folder, environment, service.reads_settings, probe)
    program = programs[service.program]
    return Task(
        service.name,
        [str(program.path), *arguments],
        str(program.folder or folder),
        {**program.environment, **environment},
        probe=probe,
    )


def _write(home: StateDir, candidate: Candidate) -> None:
    """Write the configuration, and remember what services are started with."""
    configuration.make_folders(home)
    change = FileTransaction(candidate.files, candidate.obsolete, home.run / FOLDER)
    change.prepare()
    change.apply()
    change.close()
    write_digests(home, target_digests(home, candidate.component_settings, candidate.values))


def _supervise(home: StateDir, environment: Mapping[str, str]) -> None:
    state_files.write_status(home, state_files.SupervisorStatus())  # a former supervisor's: its pid is void
    log = home.logs / "supervisor.log"
    with os.fdopen(append_private(log), "ab") as output:
        subprocess.run(
            [sys.executable, "-m", "tallow.stack.engines.supervisor", str(home.root)],
            check=True,
            cwd=home.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    wait_until(
        lambda: state_files.supervisor_pid(home) is not None,
        START_S,
        f"the supervisor does not come up; see {log}",
    )
