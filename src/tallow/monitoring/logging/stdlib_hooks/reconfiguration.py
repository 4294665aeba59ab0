"""Keep loggers enabled when ``logging.config`` configures logging.

``dictConfig`` and ``fileConfig`` disable every logger that exists and is not named in their configuration,
unless they are told not to (alembic's ``env.py`` is the best-known case), and ``alembic.ini`` gives the root
logger the level WARNING: all other records of the application would vanish.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tallow.monitoring.logging.stdlib_hooks.handlers import attach_bridge

_CANARIES: Final = (__name__, "asyncio", "concurrent.futures")
"""Loggers that nobody disables by hand: if one of them is disabled, ``logging.config`` did it."""

logging.getLogger(__name__)


class _State:
    """What is installed: see :mod:`.handlers`."""

    def __init__(self) -> None:
        self.active = False
        self.root_level = logging.INFO
        self.originals: dict[tuple[Any, str], tuple[Any, Any]] = {}
        self.enabled: list[logging.Logger] = []


_state: Final = _State()


def install(root_level: int) -> None:
    """Install the hooks, and enable the loggers that ``logging.config`` has disabled before."""
    import logging.config as configuration  # takes a while to load

    _state.active, _state.root_level = True, root_level
    # dictConfig calls this class. fileConfig has no class; the function sets up its loggers.
    for owner, name in ((configuration.DictConfigurator, "configure"), (configuration, "_install_loggers")):
        original = vars(owner).get(name)
        if original is not None and (owner, name) not in _state.originals:
            hook = _watch(original)
            _state.originals[owner, name] = (original, hook)
            setattr(owner, name, hook)
    disabled = _disabled()
    if any(logger.name in _CANARIES for logger in disabled):
        _state.enabled += disabled
        _enable(disabled)


def uninstall() -> None:
    """Restore the original functions and disable again what :func:`install` enabled."""
    _state.active = False
    for (owner, name), (original, hook) in list(_state.originals.items()):
        if vars(owner).get(name) is hook:
            setattr(owner, name, original)
            del _state.originals[owner, name]
    for logger in _state.enabled:
        logger.disabled = True
    _state.enabled.clear()


def _watch(original: Callable[..., Any]) -> Callable[..., Any]:
    def configure(*args: Any, **kwargs: Any) -> Any:
        """As the original; loggers that were enabled stay enabled."""
        if not _state.active or _is_incremental(args):
            return original(*args, **kwargs)
        with _kept_enabled():
            return original(*args, **kwargs)

    return configure


def _is_incremental(args: tuple[Any, ...]) -> bool:
    """Whether a ``DictConfigurator`` only changes levels, which a program does on purpose."""
    return bool(args) and bool(getattr(args[0], "config", {}).get("incremental", False))


@contextmanager
def _kept_enabled() -> Iterator[None]:
    disabled = set(_disabled())
    try:
        yield
    finally:
        _enable([logger for logger in _disabled() if logger not in disabled])
        attach_bridge()
        root = logging.getLogger()
        root.setLevel(min(root.level or logging.WARNING, _state.root_level))


def _disabled() -> list[logging.Logger]:
    known = list(logging.root.manager.loggerDict.values())
    return [logger for logger in known if isinstance(logger, logging.Logger) and logger.disabled]


def _enable(loggers: list[logging.Logger]) -> None:
    for logger in loggers:
        logger.disabled = False
