"""Structured logs that hold nothing private: one JSON object a line, every record through the scrubber.

    from tallow.monitoring.logging import transfer_logger

    log = transfer_logger.bind(transfer_id=transfer.id)
    log.info("Transfer started", file_size=transfer.size)
    with log.time("transfer"):
        ...

Settings: ``LOG_LEVEL``, ``LOG_FORMAT``, ``LOG_FILE`` and, for a remote endpoint, ``LOG_ENDPOINT`` and others.
They are read at the first record, or by :func:`configure`.
"""

from __future__ import annotations

from typing import Final

from tallow.monitoring.logging.config import (
    configure,
    disable,
    ensure_configured,
    ensure_configured_or_default,
    flush,
    shutdown,
)
from tallow.monitoring.logging.loggers import Logger
from tallow.monitoring.settings import BadSettingError

__all__ = [
    "BadSettingError",
    "Logger",
    "api_logger",
    "configure",
    "connection_logger",
    "crypto_logger",
    "disable",
    "ensure_configured",
    "ensure_configured_or_default",
    "flush",
    "get_logger",
    "logger",
    "security_logger",
    "shutdown",
    "transfer_logger",
]


def get_logger(name: str) -> Logger:
    """A logger whose records say ``name``."""
    return Logger(name)


logger: Final = get_logger("tallow")
transfer_logger: Final = get_logger("transfer")
crypto_logger: Final = get_logger("crypto")
connection_logger: Final = get_logger("connection")
api_logger: Final = get_logger("api")
security_logger: Final = get_logger("security")
