"""Start and stop a stack: programs under a supervisor, without root and without containers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
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
from tallow.stack.engines.services.control import STOP_S, wait_until
from tallow.stack.engines.services.definitions import SERVICES, Service, ports, render_command
from tallow.stack.engines.services.ports import require_free
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.process_keeper import STEADY_AFTER_S
from tallow.stack.engines.supervisor.state_files import ProcessStatus, SupervisorPlan, Task

START_S: Final = 10.0

Progress = Callable[[str], None]


def start(
    home: StateDir, options: StackOptions, progress: Progress, candidate: Candidate | None = None
) -> Candidate:
    """Start every service that does not run. Return before all of them are healthy.

    Args:
        home: the stack's folder.
        options: the options of `up`. A running stack takes over the liveness timeout only.
        progress: called with a line before something that takes time.
        candidate: the settings, if they have been validated already.

    Returns:
        The settings. A running stack keeps those that it was started with.

    Raises:
        StackError, StateDirError, MissingProgramError, PortTakenError, BadSettingError: the stack cannot be
            started; one line.
    """
    home.make()
    with locked(home, "up"):
        if supervisor := state_files.supervisor_pid(home):
            require_same_ports(home.options(), options)
            candidate = candidate or validate(home, home.options(), os.environ, progress, running=True)
            _start_missing(home, options, progress, supervisor)
            return candidate
        end_orphans(home)
        candidate = candidate or validate(home, options, os.environ, progress, running=False)
        programs = ensure_programs(progress)
        _require_free_ports(options, SERVICES)
        tasks = _tasks(home, options, programs, SERVICES)
        credentials.create_missing(home.secrets)
        _write_configuration(home, candidate)
        home.write_options(options)
        plan = SupervisorPlan(
            tasks, liveness_timeout=options.liveness_timeout, release=release.current(programs)
        )
        state_files.write_plan(home, plan)
        _start_supervisor(home, candidate.service_environment())
        return candidate


def stop(home: StateDir, reason: str = "tallow down") -> None:
    """Stop the supervisor and every service, and programs that a killed supervisor left behind. Data is kept.

    Args:
        home: the stack's folder.
        reason: for the supervisor's log.

    Raises:
        StackError: the supervisor does not exit in time.
    """
    if not home.run.is_dir():
        return
    with locked(home, "up"):
        if supervisor := state_files.supervisor_pid(home):
            state_files.write_plan(home, replace(state_files.read_plan(home), stop_reason=reason))
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(supervisor)
                process.terminate()
                wait_until(
                    lambda: not process.is_running(),
                    STOP_S,
                    f"the supervisor (pid {supervisor}) does not end",
                )
        end_orphans(home)


def end_orphans(home: StateDir) -> None:
    """Stop programs that a killed supervisor left behind."""
    found = [status.process() for status in state_files.read_status(home).services.values()]
    processes = [process for process in found if process]
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
            process.resume()  # a suspended process does not handle SIGTERM
    _, alive = psutil.wait_procs(processes, timeout=TERMINATE_S)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()


def require_same_ports(running: StackOptions, requested: StackOptions) -> None:
    """Check that a running stack has the requested ports.

    Raises:
        StackError: it has others.
    """
    if running.port_offset != requested.port_offset:
        raise StackError(
            f"it runs already, with --port-offset {running.port_offset}; stop it first (tallow down), "
            "or start a second one with another --home"
        )


def ensure_programs(progress: Progress, services: Sequence[Service] = SERVICES) -> dict[str, Program]:
    """Find or unpack the programs of services.

    Args:
        progress: called with a line before something that takes time.

    Returns:
        The programs by name.

    Raises:
        MissingProgramError: a program cannot be found or unpacked.
    """
    return ensure((service.program for service in services if service.program), progress)


def ended_services(home: StateDir) -> frozenset[str]:
    """The services of the plan that have no process or fail again and again, or that `down` stopped."""
    status = state_files.read_status(home)
    running = {name for name, service in status.services.items() if service.process()}
    failing = {name for name, service in status.services.items() if _is_restarted_after_failure(service)}
    return frozenset(task.name for task in state_files.read_plan(home).tasks) - (running - failing)


def _is_restarted_after_failure(service: ProcessStatus) -> bool:
    """Whether a service was restarted after a failure and has not run steadily since."""
    return service.restarts > 0 and time.time() - service.since < STEADY_AFTER_S


def with_tasks(plan: SupervisorPlan, tasks: Collection[Task]) -> SupervisorPlan:
    """The plan with new tasks: those of the same name are replaced, others are added."""
    new = {task.name: task for task in tasks}
    kept = [new.pop(task.name, task) for task in plan.tasks]
    return replace(plan, tasks=(*kept, *new.values()))


def _start_missing(home: StateDir, options: StackOptions, progress: Progress, supervisor: int) -> None:
    """Have a running supervisor start the services that do not run.

    They are started with the present commands: after an upgrade those of the plan may not fit the code.
    """
    used = home.options()
    planned = {task.name for task in state_files.read_plan(home).tasks}
    ended = ended_services(home)
    missing = [service for service in SERVICES if service.name in ended or service.name not in planned]
    # The supervisor may be starting a service of its plan at this moment, so that its port is taken.
    _require_free_ports(used, [service for service in missing if service.name not in planned])
    tasks = _tasks(home, used, ensure_programs(progress, missing), missing)
    home.write_options(replace(used, liveness_timeout=options.liveness_timeout))

    def change(plan: SupervisorPlan) -> SupervisorPlan:
        return replace(with_tasks(plan, tasks), held=(), liveness_timeout=options.liveness_timeout)

    state_files.update_plan(home, change, supervisor)


def _require_free_ports(options: StackOptions, services: Sequence[Service]) -> None:
    port_of = ports(options.port_offset)
    require_free({service.name: port_of[service.name] for service in services})


def _tasks(
    home: StateDir, options: StackOptions, programs: Mapping[str, Program], services: Sequence[Service]
) -> tuple[Task, ...]:
    return tuple(_task(service, home, options, programs) for service in services)


def _task(service: Service, home: StateDir, options: StackOptions, programs: Mapping[str, Program]) -> Task:
    arguments, environment = render_command(service, home, options)
    folder = options.env_folder if service.reads_settings else str(home.data)
    probe = service.probe(ports(options.port_offset)[service.name], home.secrets)
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


def _write_configuration(home: StateDir, candidate: Candidate) -> None:
    """Write the configuration, and record what the services are started with."""
    configuration.make_folders(home)
    change = FileTransaction(candidate.files, candidate.obsolete, home.run / FOLDER)
    change.prepare()
    change.apply()
    change.close()
    write_digests(home, target_digests(home, candidate.component_settings, candidate.values))


def _start_supervisor(home: StateDir, environment: Mapping[str, str]) -> None:
    state_files.write_status(home, state_files.SupervisorStatus())  # removes the pid of an earlier supervisor
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
        f"the supervisor does not start; see {log}",
    )
