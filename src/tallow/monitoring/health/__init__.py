"""Health: what the probes of a load balancer, an orchestrator and an operator are told.

``instrument(app)`` answers four endpoints, each to GET and HEAD:

========================= ==============================================================================
``/api/health``           how the service is, for anybody
``/api/health/liveness``  the event loop turns; it asks nothing else, so that a database which is away
                          does not have the process restarted
``/api/health/readiness`` 503 with the names of the failing checks while a critical one fails
``/api/health/detailed``  every component, versions, resources and telemetry queues, for the holder of
                          ``HEALTH_CHECK_TOKEN`` or, without one, for this machine
========================= ==============================================================================
"""

from __future__ import annotations

from typing import Final

from tallow.monitoring.health.check import CheckResult, Status
from tallow.monitoring.health.report import Health, HealthReport

__all__ = ["HEALTH", "CheckResult", "Health", "HealthReport", "Status", "register_check", "unregister_check"]

HEALTH: Final = Health()
"""The process's own checks; the functions of this module are its methods."""

register_check = HEALTH.register_check
unregister_check = HEALTH.unregister_check
