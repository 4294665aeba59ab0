"""Choose the engine of `tallow up`."""

from __future__ import annotations

from typing import Final, Literal, get_args

from tallow.stack.engines.docker.client import DockerUnavailableError, require_docker
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.state.state_dir import EngineName, StateDir
from tallow.stack.engines.supervisor import state_files

EngineChoice = Literal["auto", "docker", "native"]
CHOICES: Final[tuple[EngineChoice, ...]] = get_args(EngineChoice)


def choose_engine(choice: EngineChoice, home: StateDir) -> EngineName:
    """The engine of a stack that is to be started.

    A folder keeps its engine, whose data the other one could not read. In a new one ``auto`` takes Docker
    where a daemon answers and Compose v2 is there, otherwise the native engine.

    Args:
        choice: what the operator asked for.
        home: the stack's folder.

    Raises:
        StackError: Docker was asked for and is not there, or the folder belongs to a stack of another engine.
    """
    if home.exists():
        used = home.options().engine
        if choice in ("auto", used):
            return used
        raise StackError(
            f"the stack in {home.root} has the engine {used}; remove it first (tallow down --purge), "
            "or name another folder with --home"
        )
    if choice == "native":
        return "native"
    try:
        require_docker()
    except DockerUnavailableError:
        if choice == "docker":
            raise
        return "native"
    return "docker"


def is_docker(home: StateDir) -> bool:
    """Whether the stack in ``home`` has the Docker engine."""
    return home.options().engine == "docker"


def native_supervisor(home: StateDir) -> int | None:
    """The pid of the supervisor of a native stack; None if none runs."""
    return None if is_docker(home) else state_files.supervisor_pid(home)
