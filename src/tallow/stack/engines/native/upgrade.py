"""Detect that a running stack was started by other code or programs or in another network, and restart it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

import psutil

from tallow.stack.engines.native import lifecycle, release
from tallow.stack.engines.native.lifecycle import Progress
from tallow.stack.engines.processes.environment import NETWORK_VARIABLES
from tallow.stack.engines.programs.programs import MissingProgramError
from tallow.stack.engines.reload.candidate import Candidate, validate
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files


def outdated(home: StateDir, progress: Progress) -> list[str]:
    """What is newer on this machine than in the running stack, one line each; empty if no stack runs.

    Args:
        progress: called with a line before something that takes time.
    """
    if state_files.supervisor_pid(home) is None:
        return []
    try:
        programs = lifecycle.ensure_programs(progress)
    except MissingProgramError:  # the running program does not need its file
        programs = {}
    return release.differences(state_files.read_plan(home).release, release.current(programs))


def outdated_code(home: StateDir) -> list[str]:
    """As :func:`outdated` without the programs, which take longer to check."""
    if state_files.supervisor_pid(home) is None:
        return []
    return release.differences(state_files.read_plan(home).release, release.current({}))


def other_network_variables(home: StateDir, environment: Mapping[str, str]) -> list[str]:
    """Proxies and certificates that are set in ``environment`` and that the running stack does not use.

    Services get those of the environment of `tallow up`.
    """
    supervisor = state_files.supervisor_pid(home)
    if supervisor is None:
        return []
    try:
        used = psutil.Process(supervisor).environ()
    except (psutil.Error, OSError):
        return []
    return [name for name in NETWORK_VARIABLES if environment.get(name, "") not in {"", used.get(name)}]


def restart_stack(home: StateDir, options: StackOptions, progress: Progress) -> Candidate:
    """Stop a running stack and start it with the present code and programs.

    It keeps its folder of ``.env`` and the variables of the environment that it was started in. Known
    obstacles are checked before anything is stopped.

    Returns:
        The settings that it now uses.

    Raises:
        StackError, StateDirError, MissingProgramError, PortTakenError, BadSettingError: it cannot be
            restarted; one line.
    """
    used = home.options()
    lifecycle.require_same_ports(used, options)
    new = replace(used, liveness_timeout=options.liveness_timeout)
    candidate = validate(home, new, os.environ, progress, running=True)
    lifecycle.ensure_programs(progress)
    lifecycle.stop(home, "tallow up --restart")
    return lifecycle.start(home, new, progress, candidate)
