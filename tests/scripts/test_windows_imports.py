"""The commands that the Windows scripts use do without modules and functions that Windows lacks.

Windows itself is not available here: a process hides them from itself.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.commands import ROOT

PROGRAM = """
import importlib.resources, multiprocessing, os, sys
import aiosmtpd.smtp, click, httpx, psutil, rich.console, uvicorn  # they know Windows themselves
for module in ("fcntl", "resource", "pwd", "grp", "termios", "tty"):
    sys.modules[module] = None
for function in ("getuid", "geteuid", "getgid", "fork", "register_at_fork", "killpg", "setsid", "mkfifo"):
    delattr(os, function)
from tallow.cli import main
for line in sys.stdin:
    try:
        main(line.split())
    except SystemExit as end:
        print("exit", end.code)
"""


def run(*commands: str) -> subprocess.CompletedProcess[str]:
    """Run commands one after the other in one process; it prints the exit status of each."""
    program = [sys.executable, "-c", PROGRAM]
    return subprocess.run(
        program, input="\n".join(commands), capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )


def test_commands_start_without_what_windows_lacks() -> None:
    names = ["up", "down", "status", "reload", "doctor", "logs", "alerts", "open", "credentials"]
    done = run(*(f"{name} --help" for name in names))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("exit 0") == len(names)


def test_commands_without_a_stack_say_so(tmp_path: Path) -> None:
    names = ["status", "doctor", "credentials", "reload"]
    done = run(*(f"{name} --home {tmp_path / 'none'}" for name in names))
    assert done.stdout.count("exit 3") == len(names)
    lines = done.stderr.splitlines()
    assert len(lines) == len(names)
    assert all(line.startswith("Error: there is no stack in") for line in lines)
