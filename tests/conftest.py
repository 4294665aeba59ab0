"""Settings and fixtures of all tests."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import settings

from tallow.monitoring.lifecycle.losses import LOSSES
from tallow.monitoring.logging.stdlib import BridgeHandler
from tallow.monitoring.settings import process_options

# Hypothesis's deadline would be a timed assertion, which fails on a loaded machine.
settings.register_profile("tallow", settings.default, deadline=None)
settings.load_profile("tallow")

# So would httpx's limit of 5 s for a step of a request. Clients without an own limit share this object.
for _step in ("connect", "read", "write", "pool"):
    setattr((httpx.get.__kwdefaults__ or {})["timeout"], _step, 60.0)

# Tests use loopback only. Proxy settings of the machine could break the clients that they create.
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]

# Programs that tests start inherit ignored signals and would not react to them. SIGINT is ignored if a script
# runs the tests in the background, SIGHUP under nohup.
for _number, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


def pytest_sessionfinish() -> None:
    """Tests lose telemetry on purpose. The line that tells of it at the end belongs to no test."""
    LOSSES.after_fork()


@pytest.fixture(autouse=True)
def _forget_program() -> Iterator[None]:
    """Forget which program or application named the telemetry of this process."""
    yield
    process_options.reset()


class _AsyncioErrors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(logging.Formatter().format(record))


@pytest.fixture(autouse=True)
def asyncio_errors() -> Iterator[list[str]]:
    """The errors that asyncio logs, such as that of a task that nobody awaits. A terminal would show them.

    They fail the test. A test that wants one removes it from the list.
    """
    handler, logger = _AsyncioErrors(), logging.getLogger("asyncio")
    logger.addHandler(handler)
    yield handler.texts
    logger.removeHandler(handler)
    assert not handler.texts, "\n".join(handler.texts)


@pytest.fixture(autouse=True)
def _restore_exception_hooks() -> Iterator[None]:
    """Remove the hooks of logging that a test configured and did not close.

    A finalizer that fails during a later test would write to that test's output.
    """
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@pytest.fixture(autouse=True)
def _restore_standard_logging() -> Iterator[None]:
    """Restore the standard library's logging, which commands and servers in this process configure."""
    for name in (
        "uvicorn",
        "uvicorn.access",
        "uvicorn.error",
    ):  # an earlier server may have changed them
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
    # pytest adds and removes its own handlers meanwhile: leave those.
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
