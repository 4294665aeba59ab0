"""Where records go: set up from the settings, at the first record at the latest, and drained on exit."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Sequence
from typing import Any, Final, TextIO

from tallow import __version__
from tallow.monitoring.lifecycle import error_hooks
from tallow.monitoring.lifecycle.shutdown import register_pipeline
from tallow.monitoring.logging import excepthooks, stdlib
from tallow.monitoring.logging.console import ConsoleRenderer, is_terminal, wants_colour
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.sinks import FileSink, StreamSink
from tallow.monitoring.logging.writer import Sink, Writer
from tallow.monitoring.settings import BadSettingError, MonitoringSettings, current_settings

_state: Final = {"configured": False, "at_exit": False}


def configure(
    settings: MonitoringSettings | None = None,
    *,
    stream: TextIO | None = None,
    sinks: Sequence[Sink] = (),
    console: bool = True,
    standard_library: bool = True,
    pipeline: Pipeline = PIPELINE,
) -> None:
    """Write logs as the settings say. Called again, it takes the place of what was set up before.

    Args:
        settings: by default the process's own, from the environment and ``.env``.
        stream: instead of standard output.
        sinks: others to write to, beside those of the settings.
        console: whether to write to standard output at all; a program whose output is its own says no.
        standard_library: whether records of :mod:`logging` and, with ``console``, exceptions nobody caught
            take the same way.

    Raises:
        BadSettingError: one line about a setting that cannot be used.
    """
    settings = settings or current_settings()
    local = _local_sinks(settings, stream) if console or stream is not None else _file_sinks(settings)
    writer = Writer([*local, *_remote_sinks(settings), *sinks])
    static = {
        "service": settings.service_name,
        "environment": settings.environment,
        "version": settings.release or __version__,
    }
    pipeline.configure(level=settings.log_level, static=static, writer=writer)
    if standard_library:
        stdlib.capture(pipeline)
        if console:
            excepthooks.install(pipeline)
    error_hooks.add_listener(stdlib.UNHANDLED_ERRORS)
    if pipeline is PIPELINE:
        _state["configured"] = True
        register_pipeline("logs", _drain, lambda _timeout: shutdown())
        if not _state["at_exit"]:
            _state["at_exit"] = True
            atexit.register(shutdown)


def ensure_configured() -> None:
    """Configure from the settings unless that was done.

    Raises:
        BadSettingError: one line about a setting that cannot be used.
    """
    if not _state["configured"]:
        configure()


def ensure_configured_or_default() -> None:
    """As :func:`ensure_configured`, with default settings where the given ones cannot be used.

    For a program that ends because of such a setting, and has to log that.
    """
    try:
        ensure_configured()
    except BadSettingError:
        configure(_default_settings())


def flush() -> None:
    """Write what was logged before this call to the sinks of this machine; waits for them."""
    PIPELINE.writer.flush()


def _drain(timeout_s: float) -> None:
    PIPELINE.writer.drain(timeout_s)


def shutdown() -> None:
    """Drain everything, the remote endpoint included, in a few seconds at most. Logging goes on working."""
    PIPELINE.writer.close()


def disable() -> None:
    """Write nothing anywhere, and read no settings, until :func:`configure`."""
    PIPELINE.configure(level="fatal", static={}, writer=Writer(()))
    _state["configured"] = True


def _local_sinks(settings: MonitoringSettings, stream: TextIO | None) -> list[Sink]:
    sinks: list[Sink] = []
    target = stream or sys.stdout
    terminal = is_terminal(target)
    # A file takes the place of standard output, unless somebody is watching that.
    if settings.log_file is None or stream is not None or terminal:
        readable = settings.log_format == "console" or (settings.log_format == "auto" and terminal)
        sinks.append(StreamSink(stream, ConsoleRenderer(colour=wants_colour(target)) if readable else None))
    return [*sinks, *_file_sinks(settings)]


def _file_sinks(settings: MonitoringSettings) -> list[Sink]:
    return [] if settings.log_file is None else [FileSink(settings.log_file)]


def _remote_sinks(settings: MonitoringSettings) -> list[Sink]:
    if settings.log_endpoint is None:
        return []
    from tallow.monitoring.shipping import Shipper  # brings an HTTP client

    return [Shipper(settings)]


def _configure_at_first_record() -> None:
    """Set up because somebody logs: a bad setting must not stop that."""
    if _state["configured"]:
        return
    try:
        configure()
    except BadSettingError as error:
        configure(_default_settings())
        PIPELINE.emit("error", "tallow", "Logging uses its defaults", {}, {"reason": str(error)})


def _default_settings() -> MonitoringSettings:
    """The settings as if nobody had set any."""
    given: dict[str, Any] = {}
    return MonitoringSettings.model_construct(**given)


PIPELINE.on_first_use(_configure_at_first_record)
