"""Commands that are shown to the user to be copied."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from tallow.stack.engines.state.state_dir import StateDir, StateDirError


def command_line(home: StateDir, *arguments: str) -> str:
    """A `tallow` command about the stack in ``home`` that works as it is shown.

    ``monitoring/start-monitoring.sh`` runs a `tallow` that is not on the PATH; then the command contains its
    path. ``--home`` is added unless the folder is the default one: TALLOW_HOME may have been set for one
    command only.

    Example:
        >>> command_line(StateDir(Path("/srv/tallow")), "status")  # doctest: +SKIP
        'tallow status --home /srv/tallow'
    """
    folder = [] if _is_default(home) else ["--home", str(home.root)]
    return shlex.join([*_program(), *arguments, *folder])


def _is_default(home: StateDir) -> bool:
    """Whether a command uses the folder without ``--home``."""
    try:
        return home.root == StateDir.at().root and not os.environ.get("TALLOW_HOME")
    except StateDirError:  # this user has no default folder
        return False


def _program() -> list[str]:
    """The command that starts this `tallow` from a shell."""
    script = Path(sys.executable).with_name("tallow")
    if not os.access(script, os.X_OK):
        return [sys.executable, "-m", "tallow"]
    found = shutil.which("tallow")
    return ["tallow"] if found is not None and Path(found).samefile(script) else [str(script)]
