"""What every test leaves as it was."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tallow.monitoring.logging.stdlib import BridgeHandler

# Hypothesis's own would be a timed assertion on a machine whose speed is not ours.
settings.register_profile("tallow", settings.default, deadline=None)
settings.load_profile("tallow")

# Tests reach loopback only. Proxy settings of the machine could break the clients they create themselves.
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]

# Programs that tests start inherit ignored signals, and would not end when a test interrupts them: SIGINT is
# ignored where a script runs the tests in the background, SIGHUP under nohup.
for _number, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


@pytest.fixture(autouse=True)
def _standard_logging_as_it_was() -> Iterator[None]:
    """Programs started in this process, and servers in its loop, set up the standard library's logging."""
    for name in (
        "uvicorn",
        "uvicorn.access",
        "uvicorn.error",
    ):  # as a server of a module before may have left it
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate, logger.disabled = [], True, False
        logger.setLevel(logging.NOTSET)
    root = logging.getLogger()
    level, bridges = root.level, [one for one in root.handlers if isinstance(one, BridgeHandler)]
    kept = {
        logger: (logger.level, list(logger.handlers), list(logger.filters), logger.propagate, logger.disabled)
        for logger in _loggers()
    }
    yield
    root.setLevel(level)
    # pytest's own handlers come and go between a test and its end: they are left alone.
    for handler in [one for one in root.handlers if isinstance(one, BridgeHandler) and one not in bridges]:
        root.removeHandler(handler)
    for logger in _loggers():
        at, handlers, filters, propagate, disabled = kept.get(logger, (logging.NOTSET, [], [], True, False))
        logger.setLevel(at)
        logger.handlers, logger.filters = handlers, filters
        logger.propagate, logger.disabled = propagate, disabled


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [logger for logger in known if isinstance(logger, logging.Logger)]
