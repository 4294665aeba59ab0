"""All checks of a native stack, in the order in which they are shown."""

from __future__ import annotations

from typing import Final

from tallow.stack.doctor.model import Check, Diagnosis, diagnose
from tallow.stack.doctor.native import exposure, files, host, programs, routes, rules, services, settings
from tallow.stack.doctor.native.installation import Installation

CHECKS: Final[tuple[Check[Installation], ...]] = (
    *services.CHECKS,
    *settings.CHECKS,
    *rules.CHECKS,
    *routes.CHECKS,
    *files.CHECKS,
    *exposure.CHECKS,
    *programs.CHECKS,
    *host.CHECKS,
)


def diagnose_native(installation: Installation, readable: tuple[type[Exception], ...] = ()) -> Diagnosis:
    """Run every check of a native stack.

    Args:
        readable: exceptions whose text is for the operator.
    """
    return diagnose("native", CHECKS, installation, readable)
