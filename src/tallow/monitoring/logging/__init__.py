"""Structured logging: one JSON object a line; the scrubber removes private data from every record.

::

    from tallow.monitoring.logging import transfer_logger

    log = transfer_logger.bind(transfer_id=transfer.id)
    log.info("Transfer started", file_size=transfer.size)
    with log.time("transfer"):
        ...

Settings: ``LOG_LEVEL``, ``LOG_FORMAT``, ``LOG_FILE``; ``LOG_ENDPOINT`` and others for a remote endpoint. They
are read at the first record or by :func:`configure`.
"""

from __future__ import annotations

from typing import Final

from tallow.monitoring.logging.config import (
    close,
    configure,
    disable,
    ensure_configured,
    ensure_configured_or_default,
    flush,
    shutdown,
)
from tallow.monitoring.logging.loggers import Logger
from tallow.monitoring.logging.stdlib_hooks import BridgeHandler, exempt
from tallow.monitoring.settings import BadSettingError

__all__ = [
    "BadSettingError",
    "BridgeHandler",
    "Logger",
    "api_logger",
    "close",
    "configure",
    "connection_logger",
    "crypto_logger",
    "disable",
    "ensure_configured",
    "ensure_configured_or_default",
    "exempt",
    "flush",
    "get_logger",
    "logger",
    "security_logger",
    "shutdown",
    "transfer_logger",
]


def get_logger(name: str) -> Logger:
    """Create a logger.

    Args:
        name: the value of the records' field ``logger``.

    Returns:
        A logger that writes to the process's pipeline. Two loggers of one name are independent.

    Example::

        >>> from tallow.monitoring.testing import captured_logs
        >>> with captured_logs() as logs:
        ...     get_logger("payments").info("Paid", amount=12)
        ...     (logs.last["logger"], logs.last["amount"])
        ('payments', 12)
    """
    return Logger(name)


logger: Final = get_logger("tallow")
"""The logger for records that belong to no area below.

    >>> from tallow.monitoring.testing import captured_logs
    >>> with captured_logs() as logs:
    ...     logger.info("Started", workers=2)
    ...     logs.last["logger"]
    'tallow'
"""
transfer_logger: Final = get_logger("transfer")
"""The logger for file transfers.

    >>> from tallow.monitoring.testing import captured_logs
    >>> with captured_logs() as logs:
    ...     transfer_logger.info("Transfer started", file_size=5_000_000)
    ...     logs.last["logger"]
    'transfer'
"""
crypto_logger: Final = get_logger("crypto")
"""The logger for cryptographic operations.

    >>> from tallow.monitoring.testing import captured_logs
    >>> with captured_logs() as logs:
    ...     crypto_logger.debug("Key generated", algorithm="x25519_mlkem768")
    ...     logs.last["logger"]
    'crypto'
"""
connection_logger: Final = get_logger("connection")
"""The logger for connections between peers.

    >>> from tallow.monitoring.testing import captured_logs
    >>> with captured_logs() as logs:
    ...     connection_logger.warning("Fell back to the relay", reason="ice_failed")
    ...     logs.last["logger"]
    'connection'
"""
api_logger: Final = get_logger("api")
"""The logger for HTTP requests.

    >>> from tallow.monitoring.testing import captured_logs
    >>> with captured_logs() as logs:
    ...     api_logger.error("Request failed", route="/api/rooms/{id}", status=503)
    ...     logs.last["logger"]
    'api'
"""
security_logger: Final = get_logger("security")
"""The logger for rejected credentials, limits that were exceeded and the like.

    >>> from tallow.monitoring.testing import captured_logs
    >>> with captured_logs() as logs:
    ...     security_logger.warning("Token rejected")
    ...     logs.last["logger"]
    'security'
"""
