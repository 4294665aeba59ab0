"""Hooks of ``logging.Handler`` and ``logging.Logger``: see the package."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

from tallow.monitoring.logging.loggers import Logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.logging.stdlib_hooks.bridge import RECORD_MARK, BridgeHandler
from tallow.monitoring.logging.stdlib_hooks.scrubbed_record import scrubbed

_EXEMPT: Final = "_tallow_exempt"
_SCRUBS_ITSELF: Final = ("sentry_sdk.",)
"""Modules whose handlers need the exception itself, and scrub it on their own way out."""
_STORES_RECORDS: Final = ("_pytest.logging",)
_STANDARD_FILES: Final = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
_LOG: Final = Logger("logging")


class _State:
    """What is installed.

    Attributes:
        active: whether the hooks do anything.
        bridge: belongs to the root logger.
        originals: the functions that the hooks replaced, by class and name.
    """

    def __init__(self) -> None:
        self.active = False
        self.bridge = BridgeHandler()
        self.originals: dict[tuple[type, str], tuple[Any, Any]] = {}


class _Thread(threading.local):
    in_handler = False


_state: Final = _State()
_thread: Final = _Thread()


def exempt(handler: logging.Handler) -> logging.Handler:
    """Let a handler of the host emit the original records, unscrubbed, wherever it writes to.

    Args:
        handler: of any class.

    Returns:
        The handler.

    Example::

        >>> import logging
        >>> audit = exempt(logging.StreamHandler())
    """
    setattr(handler, _EXEMPT, True)
    return handler


def is_forwarding() -> bool:
    """Whether a handler of the host is emitting, in this thread, a record that the pipeline has.

    A handler that passes records on to structlog or loguru must not send them to the pipeline again.
    """
    return _thread.in_handler


def install(bridge: BridgeHandler) -> None:
    """Install the hooks, or give those that are installed another bridge."""
    _state.bridge = bridge
    _state.active = True
    _replace(logging.Logger, "callHandlers", _watch_call_handlers)
    _replace(logging.Handler, "handle", _watch_handle)
    _replace(logging.Handler, "handleError", _watch_handle_error)


def uninstall() -> None:
    """Restore the original functions. A hook that is wrapped by another library stays and does nothing."""
    _state.active = False
    for (owner, name), (original, hook) in list(_state.originals.items()):
        if vars(owner).get(name) is hook:
            setattr(owner, name, original)
            del _state.originals[owner, name]


def attach_bridge() -> None:
    """Attach the bridge to the root logger unless it has one."""
    handlers = logging.root.handlers
    if _state.bridge in handlers or any(isinstance(handler, BridgeHandler) for handler in handlers):
        return
    logging.root.addHandler(_state.bridge)


def _replace(owner: type, name: str, watch: Callable[[Any], Any]) -> None:
    if (owner, name) not in _state.originals:
        original = vars(owner)[name]
        hook = watch(original)
        _state.originals[owner, name] = (original, hook)
        setattr(owner, name, hook)


def _watch_call_handlers(original: Callable[..., None]) -> Callable[..., None]:
    def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
        """As the original, and send the record to the pipeline if no handler did."""
        if not _state.active:
            original(logger, record)
            return
        attach_bridge()
        if _has_own_handle(logger):
            _guard_handle(logger)
        original(logger, record)
        if RECORD_MARK not in record.__dict__ and not _is_silenced(logger):
            _deliver(record)

    return call_handlers


def _watch_handle(original: Callable[..., Any]) -> Callable[..., Any]:
    def handle(handler: logging.Handler, record: logging.LogRecord) -> Any:
        """As the original, but with a scrubbed copy, and for a printing handler not at all."""
        if not _state.active or isinstance(handler, BridgeHandler) or _is_exempt(handler):
            return original(handler, record)
        if _prints(handler):
            return _deliver(record)
        verdict: Any = handler.filter(record)
        if not verdict:
            return verdict
        if isinstance(verdict, logging.LogRecord):  # Python 3.12: a filter may replace the record
            record = verdict
        return _emit(handler, record)

    return handle


def _watch_handle_error(original: Callable[..., None]) -> Callable[..., None]:
    def handle_error(handler: logging.Handler, record: logging.LogRecord) -> None:
        """Log the failure of a handler; the original prints the record and the exception."""
        if not _state.active:
            original(handler, record)
        elif logging.raiseExceptions:
            kind = type(handler).__name__
            REPEATS.log(_LOG, "error", "A log handler failed", handler=kind, exc_info=sys.exc_info()[1])

    return handle_error


def _emit(handler: logging.Handler, record: logging.LogRecord) -> bool:
    """Emit the scrubbed record through a handler of the host."""
    clean = scrubbed(record, keep_exception=type(handler).__module__.startswith(_STORES_RECORDS))
    before, _thread.in_handler = _thread.in_handler, True
    handler.acquire()
    try:
        handler.emit(clean)
    finally:
        handler.release()
        _thread.in_handler = before
    return True


def _deliver(record: logging.LogRecord) -> bool:
    """Send a record to the pipeline, through the bridge of the root logger."""
    for handler in logging.root.handlers:
        if isinstance(handler, BridgeHandler):
            handler.emit(record)
            return True
    _state.bridge.emit(record)
    return True


def _is_exempt(handler: logging.Handler) -> bool:
    return _EXEMPT in handler.__dict__ or type(handler).__module__.startswith(_SCRUBS_ITSELF)


def _is_silenced(logger: logging.Logger) -> bool:
    """Whether the host discards the records of a logger by a ``NullHandler``."""
    found: list[logging.Handler] = []
    current: logging.Logger | None = logger
    while current is not None:
        found += current.handlers
        current = current.parent if current.propagate else None
    return bool(found) and all(isinstance(handler, logging.NullHandler) for handler in found)


def _prints(handler: logging.Handler) -> bool:
    """Whether a handler writes to standard output or standard error."""
    stream = getattr(handler, "stream", None)
    if stream is None:  # rich's handler has a console
        stream = getattr(getattr(handler, "console", None), "file", None)
    if isinstance(handler, logging.FileHandler):
        return handler.baseFilename.startswith(_STANDARD_FILES)
    if stream is None:
        return False
    if any(stream is known for known in (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__)):
        return True
    if isinstance(stream, io.StringIO):
        return False
    try:
        return stream.fileno() in {1, 2}
    except Exception:  # noqa: BLE001 - a stream of the host may be anything
        return False


_plain_classes: Final[set[type]] = {logging.NullHandler}
"""Handler classes that inherit ``handle``, or whose own one is guarded."""


def _has_own_handle(logger: logging.Logger) -> bool:
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            if type(handler) not in _plain_classes:
                return True
        current = current.parent if current.propagate else None
    return False


def _guard_handle(logger: logging.Logger) -> None:
    """Guard the classes of a logger's handlers that have a ``handle`` of their own, and remember them."""
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            _guard_class(type(handler))
        current = current.parent if current.propagate else None


def _guard_class(kind: type) -> None:
    if kind not in _plain_classes and len(_plain_classes) < 1_000:
        owner = next((base for base in kind.__mro__ if "handle" in vars(base)), logging.Handler)
        if owner not in {logging.Handler, logging.NullHandler}:
            _replace(owner, "handle", _watch_own_handle)
        _plain_classes.add(kind)


def _watch_own_handle(original: Callable[..., Any]) -> Callable[..., Any]:
    def handle(handler: logging.Handler, record: logging.LogRecord) -> Any:
        """As the class's own method, with a scrubbed copy."""
        if not _state.active or _is_exempt(handler):
            return original(handler, record)
        return _deliver(record) if _prints(handler) else original(handler, scrubbed(record))

    return handle
