"""Check the configuration with promtool and amtool before it is used."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tallow.monitoring.lifecycle.private_files import private_folder
from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack import credentials
from tallow.stack.engines import configuration
from tallow.stack.engines.programs.programs import MissingProgramError, Program, ensure
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

FOLDER: Final = "check"
"""The folder in ``run`` for the copy that is checked."""
TIMEOUT_S: Final = 60.0
_MAX_CHARACTERS: Final = 1000
"""Of the reason, which may repeat long paths before its point."""
_PROGRESS: Final = ("Checking ", "SUCCESS", "WARNING")
_CHECKS: Final = {
    "promtool": ("check", "config", "prometheus/prometheus.yml"),
    "amtool": ("check-config", "alertmanager/alertmanager.yml"),
}
"""The arguments of each program; the last one is a file in ``config``."""


def check_configuration(
    home: StateDir, options: StackOptions, settings: StackSettings, progress: Callable[[str], None]
) -> tuple[str, ...]:
    """Check a copy of the configuration that follows from the settings.

    Args:
        progress: called with a line before a program is fetched.

    Returns:
        Notes about checks that could not be made.

    Raises:
        BadSettingError: the configuration is invalid; one line with the program's reason.
        OSError: the copy cannot be written, such as on a full disk.
    """
    copy = StateDir(home.run / FOLDER)
    shutil.rmtree(copy.root, ignore_errors=True)
    try:
        private_folder(copy.secrets)
        credentials.create_missing(copy.secrets)
        configuration.write(copy, configuration.render(copy, options, settings))
        return tuple(note for name in _CHECKS if (note := _check(name, copy, home, progress)))
    finally:
        shutil.rmtree(copy.root, ignore_errors=True)


def _check(name: str, copy: StateDir, home: StateDir, progress: Callable[[str], None]) -> str | None:
    *arguments, file = _CHECKS[name]
    try:
        program = ensure([name], progress)[name]
    except MissingProgramError:
        return f"{name} is not there: {Path(file).name} was not checked before it was used"
    run_check(program, [*arguments, str(copy.config / file)], {str(copy.root): str(home.root)})
    return None


def run_check(program: Program, arguments: list[str], shown: dict[str, str]) -> None:
    """Run a checking program.

    Args:
        shown: replacements in its message, such as of the copy's path.

    Raises:
        BadSettingError: it rejects the configuration; one line.
    """
    name = program.path.name
    try:
        done = subprocess.run(
            [str(program.path), *arguments],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=program.folder,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadSettingError(f"{name} cannot check the configuration: {error}") from None
    if done.returncode:
        reason = _reason(done.stdout + done.stderr)
        for part, replacement in shown.items():
            reason = reason.replace(part, replacement)
        raise BadSettingError(f"{name} refuses the configuration: {reason}")


def _reason(output: str) -> str:
    """The output of a program from its first failure on, as one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    text = " ".join(lines)
    if "FAILED" in text:
        text = text[text.index("FAILED") :]
    else:
        text = " ".join(line for line in lines if not line.startswith(_PROGRESS)) or text
    return text[:_MAX_CHARACTERS]
