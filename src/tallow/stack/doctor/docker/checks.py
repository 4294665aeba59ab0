"""All checks of a stack of containers: those of the engine, and those of a native stack that apply as
well."""

from __future__ import annotations

from typing import Any, Final

from tallow.stack.doctor.docker import containers
from tallow.stack.doctor.docker.installation import DockerInstallation
from tallow.stack.doctor.model import Check, Diagnosis, diagnose
from tallow.stack.doctor.native.checks import CHECKS as NATIVE_CHECKS

_OF_PROCESSES: Final = frozenset({"ports", "programs", "release", "open-files", "retention", "user"})
"""Checks of processes of this machine; containers have others in their place."""
_OWN: Final = {check.id for check in containers.CHECKS}
SHARED: Final[tuple[Check[Any], ...]] = tuple(
    check for check in NATIVE_CHECKS if check.id not in _OF_PROCESSES | _OWN
)
CHECKS: Final[tuple[Check[Any], ...]] = (*containers.CHECKS, *SHARED)


def diagnose_docker(
    installation: DockerInstallation, readable: tuple[type[Exception], ...] = ()
) -> Diagnosis:
    """Run every check of a stack of containers.

    Args:
        readable: exceptions whose text is for the operator.
    """
    return diagnose("docker", CHECKS, installation, readable)
