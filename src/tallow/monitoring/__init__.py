"""Observability library: metrics, logs, errors, analytics and health checks with one privacy scrubber.

It does not depend on Tallow's application or stack and works in any ASGI application, script or worker::

    from tallow.monitoring import instrument

    instrument(app)
"""

from __future__ import annotations

from tallow.monitoring.instrumentation import Monitoring, instrument

__all__ = ["Monitoring", "instrument"]
