"""Log HTTP responses: errors always, bounded in volume; all of them at level debug."""

from __future__ import annotations

from tallow.monitoring.logging import api_logger
from tallow.monitoring.logging.repeats import REPEATS

FIRST_CLIENT_ERROR = 400
FIRST_SERVER_ERROR = 500


def log_response(method: str, route: str, status: int, duration_s: float) -> None:
    """Log a response: route, method, status and duration. There is no path, query, address or user agent.

    A status of 500 or above is logged at warning, of 400 or above at info, and equal records of a minute are
    summarised. Other responses are logged at debug. Pass the function to
    :func:`tallow.monitoring.instrument` as ``on_response``; leave it out if the server writes an access log.

    Args:
        method: of the request.
        route: the route template, ``other`` if there is none.
        status: of the response.
        duration_s: seconds.

    Example:
        >>> from tallow.monitoring.testing import captured_logs
        >>> with captured_logs() as logs:
        ...     log_response("GET", "/orders/{id}", 404, 0.012)
        ...     logs.last["level"], logs.last["route"], logs.last["status"]
        ('info', '/orders/{id}', 404)
    """
    duration_ms = round(duration_s * 1000, 3)
    if status < FIRST_CLIENT_ERROR:
        api_logger.debug("Response", method=method, route=route, status=status, duration_ms=duration_ms)
        return
    REPEATS.log(
        api_logger,
        "warning" if status >= FIRST_SERVER_ERROR else "info",
        "Response",
        key=(method, route, status),
        method=method,
        route=route,
        status=status,
        duration_ms=duration_ms,
    )
