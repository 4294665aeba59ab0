"""After an upgrade: whether a running stack is older than what is here, and its restart."""

from __future__ import annotations

import os
from dataclasses import replace

from tallow.stack.engines.native import lifecycle, release
from tallow.stack.engines.native.lifecycle import Progress
from tallow.stack.engines.programs.programs import MissingProgramError
from tallow.stack.engines.reload.candidate import Candidate, validate
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files


def outdated(home: StateDir, say: Progress) -> list[str]:
    """What is newer here than in the running stack, one line each; nothing if none runs."""
    if state_files.supervisor_pid(home) is None:
        return []
    try:
        programs = lifecycle.ensure_programs(say)
    except MissingProgramError:  # the one that runs goes on, whatever became of its file
        programs = {}
    return release.differences(state_files.read_plan(home).release, release.current(programs))


def restart_stack(home: StateDir, choices: StackOptions, say: Progress) -> Candidate:
    """Stop a running stack and start it with what is here now; it keeps the folder of its ``.env``, and the
    variables that its environment gave.

    What is known to keep it from starting is raised before anything stops.

    Returns:
        The settings that it uses now.

    Raises:
        StackError, HomeError, MissingProgramError, PortTakenError, BadSettingError: one clear line.
    """
    had = home.options()
    lifecycle.require_same_ports(had, choices)
    new = replace(had, liveness_timeout=choices.liveness_timeout)
    candidate = validate(home, new, os.environ, say, running=True)
    lifecycle.ensure_programs(say)
    lifecycle.stop(home, "tallow up --restart")
    return lifecycle.start(home, new, say, candidate)
