"""Send daphne's access records through the log, with the route instead of the path.

daphne prints them to standard output by itself, from the event loop: a reader that does not read would stop
the server.
"""

from __future__ import annotations

import sys
from typing import Any, Final

_STATUS: Final = {"connecting": 101, "connected": 101, "rejected": 403, "disconnected": None}
_MARK: Final = "_tallow_replaced"


def replace_access_log() -> None:
    """Replace daphne's access log, if daphne is loaded. A second call changes nothing."""
    module: Any = sys.modules.get("daphne.access")
    generator = getattr(module, "AccessLogGenerator", None)
    if generator is not None and not getattr(generator, _MARK, False):
        setattr(generator, _MARK, True)
        generator.__call__ = _write_record


def _write_record(_generator: object, protocol: str, action: str, details: dict[str, Any]) -> None:
    """Write an access record: the method that daphne calls with each action."""
    from tallow.monitoring.logging import get_logger  # loads the logging part
    from tallow.monitoring.logging.access_log import access_message

    path = str(details.get("path", ""))
    if protocol == "http" and action == "complete":
        duration_ms = float(details.get("time_taken") or 0) * 1000
        message, facts = access_message(
            details.get("method"), path, details.get("status"), duration_ms=duration_ms
        )
    elif protocol == "websocket" and action in _STATUS:
        facts = access_message("GET", path, _STATUS[action])[1]
        message = f"WebSocket {facts['route']} {action}"
    else:
        return
    get_logger("daphne.access").info(message, **facts)
