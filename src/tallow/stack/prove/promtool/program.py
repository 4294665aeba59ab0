"""Start promtool."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallow.stack.engines.programs.programs import Program, ensure

_TIMEOUT_S: Final = 600.0
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - promtool's own temporary folders, private to this user
_MEMORY_BYTES: Final = 256 << 20


class PromtoolError(Exception):
    """promtool did not run to its end. The text is one line."""


@dataclass(frozen=True, slots=True)
class Promtool:
    """The program."""

    program: Program

    @classmethod
    def find(cls) -> Promtool:
        """The promtool of this machine, or one from Debian's package.

        Raises:
            MissingProgramError: there is none.
        """
        return cls(ensure(["promtool"])["promtool"])

    def test(self, files: Sequence[Path], timeout: float = _TIMEOUT_S) -> str:
        """Run test files.

        Returns:
            What it printed; empty if every expectation holds.

        Raises:
            PromtoolError: it cannot be started, or takes longer than ``timeout`` seconds.
        """
        with tempfile.TemporaryDirectory(dir=_temporary()) as folder:
            environment = {**os.environ, **self.program.environment, "TMPDIR": folder}
            done = self._run(["test", "rules", *map(str, files)], environment, timeout)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def accepts(self, file: Path) -> bool:
        """Whether it reads a rule file. Keys of Thanos and Mimir, for example, are errors.

        Raises:
            PromtoolError: it cannot be started.
        """
        environment = {**os.environ, **self.program.environment}
        return (
            self._run(["check", "rules", "--lint=none", str(file)], environment, _TIMEOUT_S).returncode == 0
        )

    def _run(
        self, arguments: Sequence[str], environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [str(self.program.path), *arguments],
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=environment,
                timeout=timeout,
                check=False,  # the output says what failed
            )
        except subprocess.TimeoutExpired:
            raise PromtoolError(f"promtool took longer than {timeout:g} s") from None
        except OSError as error:
            raise PromtoolError(f"promtool: {error.strerror or error}") from None


def _temporary() -> str | None:
    """A folder in memory if there is room: promtool makes a database for each test."""
    try:
        free = os.statvfs(_MEMORY)
    except OSError:
        return None
    roomy = free.f_bavail * free.f_frsize > _MEMORY_BYTES and os.access(_MEMORY, os.W_OK | os.X_OK)
    return str(_MEMORY) if roomy else None
