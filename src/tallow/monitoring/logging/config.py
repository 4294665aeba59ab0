"""Configure logging from the settings, at the first record at the latest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

from tallow.monitoring.lifecycle import error_hooks
from tallow.monitoring.lifecycle import shutdown as process_shutdown
from tallow.monitoring.logging import excepthooks, stdlib
from tallow.monitoring.logging.console import ConsoleRenderer, is_terminal, wants_colour
from tallow.monitoring.logging.pipeline import PIPELINE, Pipeline
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.logging.sinks import ADDITIONAL_SINKS, FileSink, StreamSink
from tallow.monitoring.logging.writer import Sink, Writer
from tallow.monitoring.settings import BadSettingError, current_settings, process_options

if TYPE_CHECKING:
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

_state: Final = {"configured": False}
_used: Final[list[MonitoringSettings]] = []
"""The settings of the process's pipeline, if it is configured."""
_warned: Final[set[str]] = set()
"""The variables that a warning has named."""


def configure(
    settings: MonitoringSettings | None = None,
    *,
    stream: TextIO | None = None,
    sinks: Sequence[Sink] = (),
    console: bool = True,
    standard_library: bool = True,
    pipeline: Pipeline = PIPELINE,
) -> None:
    """Write logs as the settings say. A second call replaces what the first one set up.

    Args:
        settings: by default the process's own, from the environment and ``.env``.
        stream: a text stream to write to instead of standard output.
        sinks: receive the lines in addition to the outputs of the settings.
        console: False writes nothing to standard output, for a program that prints its own results there.
        standard_library: whether records of :mod:`logging` and, with ``console``, warnings and uncaught
            exceptions are logged. Then handlers of others print nothing, and their files receive scrubbed
            text: see :mod:`tallow.monitoring.logging.stdlib_hooks`.
        pipeline: the pipeline to configure; by default the one of this package's loggers.

    Raises:
        BadSettingError: a setting has an invalid value; the message is one line.

    Example::

        >>> import io
        >>> from tallow.monitoring.logging import logger
        >>> from tallow.monitoring.settings import MonitoringSettings
        >>> output = io.StringIO()
        >>> configure(MonitoringSettings.load(log_level="warning"), stream=output, standard_library=False)
        >>> logger.info("Below the level")
        >>> logger.warning("Almost full")
        >>> flush()
        >>> print(output.getvalue(), end="")
        {"timestamp":...,"level":"warning","logger":"tallow","message":"Almost full",...}
        >>> close()
    """
    settings = settings or current_settings()
    local = _local_sinks(settings, stream) if console or stream is not None else _file_sinks(settings)
    added = ADDITIONAL_SINKS.make_all() if pipeline is PIPELINE else []
    writer = Writer([*local, *_remote_sinks(settings), *sinks, *added])
    pipeline.configure(level=settings.log_level, static=_static_fields(settings), writer=writer)
    if standard_library:
        stdlib.capture(pipeline, warnings=console)
        if console:
            excepthooks.install(pipeline)
    error_hooks.add_listener(stdlib.UNHANDLED_ERRORS)
    if pipeline is PIPELINE:
        _state["configured"] = True
        _used[:] = [settings]
        process_shutdown.register_pipeline("logs", _drain, _close, _hurry)
    _warn_of_ignored(settings, pipeline)


def _static_fields(settings: MonitoringSettings) -> dict[str, str]:
    return {
        "service": process_options.service_name(settings.service_name),
        "environment": settings.environment,
        "version": process_options.service_version(settings.release) or process_options.UNKNOWN_VERSION,
    }


def _rename_service() -> None:
    """Give later records the name of an application that was opened or closed after the configuration."""
    for settings in _used:
        PIPELINE.set_static_fields(_static_fields(settings))


def _warn_of_ignored(settings: MonitoringSettings, pipeline: Pipeline) -> None:
    """Log each variable that the settings passed over, once per process."""
    for variable, line in settings.ignored.items():
        if variable not in _warned:
            _warned.add(variable)
            pipeline.emit("warning", "tallow", f"{variable} is ignored", {}, {"reason": line})


def add_sink(name: str, make: Callable[[], Sink]) -> None:
    """Send the lines of this and of each later configuration to one more sink.

    Args:
        name: identifies the sink.
        make: makes it; called for each configuration.

    Example::

        >>> from tallow.monitoring.logging.sinks import StreamSink
        >>> add_sink("copy", StreamSink)
        >>> remove_sink("copy", deadline=0.0)
    """
    ADDITIONAL_SINKS.add(name, make, PIPELINE.writer if _state["configured"] else None)


def remove_sink(name: str, deadline: float) -> None:
    """Write what is queued, and remove a sink of :func:`add_sink`.

    Args:
        name: of the sink; one that was not added is ignored.
        deadline: on the monotonic clock, until which the sink may send.

    Example::

        >>> remove_sink("copy", deadline=0.0)
    """
    ADDITIONAL_SINKS.remove(name, PIPELINE.writer, deadline)


def ensure_configured() -> None:
    """Configure logging from the settings unless it is configured.

    Raises:
        BadSettingError: a setting has an invalid value; the message is one line.

    Example::

        >>> disable()
        >>> ensure_configured()  # changes nothing: disabled is configured, too
        >>> close()
    """
    if not _state["configured"]:
        configure()


def ensure_configured_or_default() -> None:
    """Configure logging unless it is configured, with default settings if the given ones are invalid.

    For a program that exits because of an invalid setting and logs the reason.

    Example::

        >>> disable()
        >>> ensure_configured_or_default()
        >>> close()
    """
    if _state["configured"]:
        return
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

    try:
        configure(MonitoringSettings.load())
    except BadSettingError:
        configure(_default_settings())


def flush() -> None:
    """Write all queued lines to standard output and the log file. Waits for them, but not for
    ``LOG_ENDPOINT``.

    Example::

        >>> from tallow.monitoring.logging import logger
        >>> from tallow.monitoring.testing import captured_logs
        >>> with captured_logs() as logs:
        ...     logger.info("Ready")
        ...     flush()
    """
    PIPELINE.writer.flush()


def shutdown() -> None:
    """Write all queued lines, also to ``LOG_ENDPOINT``, within five seconds.

    Later records are written immediately, on the caller's thread. A remote endpoint receives none of them;
    they are counted as dropped. The exit of the interpreter and a SIGTERM call this function.

    Example::

        >>> from tallow.monitoring.logging import logger
        >>> from tallow.monitoring.testing import captured_logs
        >>> with captured_logs() as logs:
        ...     logger.info("Stopping")
        ...     shutdown()
        ...     logs.messages
        ['Stopping']
    """
    REPEATS.flush()
    PIPELINE.writer.close()


def close() -> None:
    """Call :func:`shutdown` and undo :func:`configure`: hooks, handlers and threads are gone.

    The next record configures logging again.

    Example::

        >>> disable()
        >>> close()
    """
    excepthooks.uninstall()
    stdlib.release()
    error_hooks.remove_listener(stdlib.UNHANDLED_ERRORS)
    process_shutdown.unregister_pipeline("logs")
    PIPELINE.reset()
    _warned.clear()
    _used.clear()
    _state["configured"] = False


def disable() -> None:
    """Write nothing and read no settings, until :func:`configure` is called.

    Example::

        >>> from tallow.monitoring.logging import logger
        >>> disable()
        >>> logger.error("Written nowhere")
        >>> close()
    """
    PIPELINE.configure(level="fatal", static={}, writer=Writer(()))
    _used.clear()
    _state["configured"] = True


def _hurry() -> None:
    PIPELINE.writer.hurry()


def _close(timeout_s: float) -> None:
    REPEATS.flush()
    PIPELINE.writer.close(timeout_s)


def _drain(timeout_s: float) -> None:
    REPEATS.flush()
    PIPELINE.writer.drain(timeout_s)


def _local_sinks(settings: MonitoringSettings, stream: TextIO | None) -> list[Sink]:
    sinks: list[Sink] = []
    target = stream or sys.stdout
    terminal = is_terminal(target)
    # A log file replaces standard output, except on a terminal.
    if settings.log_file is None or stream is not None or terminal:
        readable = settings.log_format == "console" or (settings.log_format == "auto" and terminal)
        render = ConsoleRenderer(colour=wants_colour(target)) if readable else None
        sinks.append(StreamSink(stream, render))
    return [*sinks, *_file_sinks(settings)]


def _file_sinks(settings: MonitoringSettings) -> list[Sink]:
    return [] if settings.log_file is None else [FileSink(settings.log_file)]


def _remote_sinks(settings: MonitoringSettings) -> list[Sink]:
    if settings.log_endpoint is None:
        return []
    from tallow.monitoring.shipping import Shipper  # loads an HTTP client, which takes a while

    return [Shipper(settings)]


def _configure_at_first_record() -> None:
    """Configure for the first record. An invalid setting must not prevent logging; it is logged."""
    if _state["configured"]:
        return
    try:
        configure()
    except BadSettingError as error:
        configure(_default_settings())
        PIPELINE.emit("error", "tallow", "Logging uses its defaults", {}, {"reason": str(error)})


def _default_settings() -> MonitoringSettings:
    """The defaults, without reading the environment."""
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

    given: dict[str, Any] = {}
    return MonitoringSettings.model_construct(**given)


PIPELINE.on_first_use(_configure_at_first_record)
process_options.on_change(_rename_service)
