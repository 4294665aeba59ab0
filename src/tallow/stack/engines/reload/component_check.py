"""Have each program that reads settings by itself check them before any file is written.

``stack`` does not import ``app``, so the server's settings are checked by running its program.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallow.monitoring.settings.base import SettingVariables
from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack.engines.services.definitions import SERVICES, Service, render_command
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

TIMEOUT_S: Final = 60.0
FLAG: Final = "--check-settings"


@dataclass(frozen=True, slots=True)
class ComponentCheck:
    """A service's check of the settings that it reads by itself.

    Attributes:
        settings: their variables.
        problem: one line about an invalid setting; empty if all are valid.
    """

    settings: tuple[SettingVariables, ...]
    problem: str = ""


def check_components(
    home: StateDir, options: StackOptions, environment: Mapping[str, str]
) -> dict[str, ComponentCheck]:
    """Run the checks of all services that read settings by themselves, in parallel.

    Args:
        environment: the whole environment that the programs would run in.

    Returns:
        The checks by service.

    Raises:
        BadSettingError: a check cannot be started or does not end in time.
    """
    processes = {
        service.name: _start(service, home, options, environment)
        for service in SERVICES
        if service.reads_settings
    }
    try:
        return {name: _result(name, process) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()


def _start(
    service: Service, home: StateDir, options: StackOptions, environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    arguments, _ = render_command(service, home, options)
    try:
        return subprocess.Popen(
            [*arguments, FLAG],
            cwd=options.env_folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except (FileNotFoundError, NotADirectoryError):
        raise BadSettingError(
            f"the folder {options.env_folder}, in which `tallow up` ran, does not exist any more"
        ) from None


def _result(name: str, process: subprocess.Popen[str]) -> ComponentCheck:
    try:
        output, errors = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise BadSettingError(f"{name} did not check its settings within {TIMEOUT_S:.0f} s") from None
    try:
        listed = json.loads(output.partition("\n")[0])
        settings = tuple(SettingVariables(*map(tuple, variables)) for variables in listed)
    except (ValueError, TypeError):
        raise BadSettingError(f"{name} cannot check its settings: {_last_line(errors)}") from None
    return ComponentCheck(settings, _last_line(errors) if process.returncode else "")


def _last_line(errors: str) -> str:
    """The last line of a program's error output, which is its error message."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1].removeprefix("Error: ") if lines else "it wrote no error message"
