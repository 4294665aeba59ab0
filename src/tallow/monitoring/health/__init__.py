"""Health checks, and the endpoints that report them to load balancers, orchestrators and operators.

``instrument(app)`` adds four endpoints, each for GET and HEAD:

========================= ==============================================================================
``/api/health``           the overall status, public
``/api/health/liveness``  200 while the event loop runs. No check runs, because an unreachable database
                          must not restart the process
``/api/health/readiness`` 503 with the names of the failing checks while a critical check fails, and
                          after SIGTERM (``draining.py``). It answers within one second
``/api/health/detailed``  every component, versions, resources and telemetry queues. It requires
                          ``HEALTH_CHECK_TOKEN``; without one it answers loopback only
========================= ==============================================================================
"""

from __future__ import annotations

from typing import Final

from tallow.monitoring.health.draining import DRAINING
from tallow.monitoring.health.report import Health, HealthReport
from tallow.monitoring.health.result import CheckResult, Status

__all__ = [
    "HEALTH",
    "CheckResult",
    "Health",
    "HealthReport",
    "Status",
    "draining",
    "register_check",
    "start_draining",
    "stop_draining",
    "unregister_check",
]

HEALTH: Final = Health()
"""The checks of the process. The functions of this module are its methods.

    >>> isinstance(HEALTH, Health)
    True
"""

register_check = HEALTH.register_check
unregister_check = HEALTH.unregister_check
draining = DRAINING.draining
start_draining = DRAINING.start_draining
stop_draining = DRAINING.stop_draining
