"""Bound the records of uvicorn about single connections: clients decide how many there are.

uvicorn has no option for them.
"""

from __future__ import annotations

import logging
import re
from typing import Final

from tallow.monitoring.integrations.http_server.limits import MALFORMED
from tallow.monitoring.logging import Logger, security_logger
from tallow.monitoring.logging.record import level_name
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.logging.stdlib_hooks import bridge

LOGGER: Final = "uvicorn.error"
MESSAGE: Final = "Request not accepted"
"""Of a record that stands for one or more of uvicorn, whose own text is its ``reason``."""

_CONNECTION_CODE: Final = re.compile(r"[/\\](?:uvicorn[/\\]protocols|websockets)[/\\]")
"""The files whose records are about one connection."""
_WITHOUT_FACTS: Final = ("connection open", "connection closed", '%s - "WebSocket %s"')
"""Beginnings of the texts of records that are left out. The last one holds the client's address."""

_log: Final = Logger(LOGGER)


def limit_connection_records() -> None:
    """Leave out records of opened and closed connections, and summarise those of unreadable requests.

    A record such as ``Invalid HTTP request received.`` is written at once, and its repetitions once a minute
    with their number as ``repeated``. Exceptions and records about the server itself stay as they are. A
    second call has no effect.

    Example::

        limit_connection_records()
        uvicorn.run(app)
    """
    logging.getLogger(LOGGER).addFilter(_is_written)


def log_refused_connection(limit: str) -> None:
    """Log a connection that a limit refused, at most once a minute for each limit.

    Args:
        limit: as :attr:`~tallow.monitoring.integrations.http_server.limits.ConnectionLimits.on_refusal` gets
            it. A malformed request has a record of uvicorn already.
    """
    if limit != MALFORMED:
        REPEATS.log(security_logger, "warning", "Connection refused", limit=limit)


def _is_written(record: logging.LogRecord) -> bool:
    """Whether a record is written as it is."""
    if record.exc_info or not _CONNECTION_CODE.search(record.pathname):
        return True
    if not str(record.msg).startswith(_WITHOUT_FACTS):
        REPEATS.log(_log, level_name(record.levelno), MESSAGE, reason=bridge.read(record)[0])
    return False
