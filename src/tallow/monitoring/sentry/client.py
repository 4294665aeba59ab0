"""Initialize the SDK so that all its data passes the scrubbing hooks and the counting transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.utils import event_from_exception

from tallow.monitoring import correlation
from tallow.monitoring.lifecycle import error_hooks, shutdown
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.sentry import event_scrubbing, sdk
from tallow.monitoring.sentry.proxy import proxy_for, proxy_options
from tallow.monitoring.sentry.transport import make_transport
from tallow.monitoring.settings import process_options
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

SHUTDOWN_S: Final = 2.0


_COLLECT_OFF: Final = {"mode": "off"}
_COLLECT_NOTHING: Final[dict[str, Any]] = {
    "user_info": False,
    "cookies": _COLLECT_OFF,
    "http_headers": {"request": _COLLECT_OFF},
    "http_bodies": [],
    "url_query_params": _COLLECT_OFF,
    "graphql": {"document": False, "variables": False},
    "gen_ai": {"inputs": False, "outputs": False},
    "database_query_data": False,
    "queues": False,
}
"""The SDK collects nothing by itself. This is stricter than ``send_default_pii=False``, which it replaces."""


_FRAMEWORKS: Final = frozenset({"starlette", "litestar", "quart", "django", "falcon", "blacksheep", "sanic"})

Hook = Callable[[Any, Any], Any]
_HOOKS: Final = (
    "before_send",
    "before_send_transaction",
    "before_breadcrumb",
    "before_send_log",
    "before_send_metric",
)


def start(
    settings: MonitoringSettings, metrics: Metrics, include_local_variables: bool, options: dict[str, Any]
) -> None:
    """Initialize the SDK. A second call replaces the first one's client.

    Args:
        settings: with ``sentry_dsn`` set.
        metrics: counts dropped events.
        include_local_variables: whether to send the scrubbed variables of stack frames.
        options: more options of ``sentry_sdk.init``.
    """
    assert settings.sentry_dsn is not None
    dsn = settings.sentry_dsn.get_secret_value()
    proxy = proxy_for(dsn, options)
    scrubbing = event_scrubbing.ScrubbingHooks(metrics)
    defaults: dict[str, Any] = {
        "environment": settings.environment,
        "release": process_options.service_release(settings.service_name, settings.release),
        "sample_rate": settings.sentry_sample_rate,
        "traces_sample_rate": settings.sentry_traces_sample_rate,
        "shutdown_timeout": SHUTDOWN_S,
        **proxy_options(proxy),
    }
    private: dict[str, Any] = {
        "dsn": dsn,
        "transport": make_transport(metrics, proxy.address if proxy else None),
        "transport_queue_size": settings.sentry_queue_size,
        "server_name": process_options.service_name(settings.service_name),  # not the machine's name
        "data_collection": _COLLECT_NOTHING | {"stack_frame_variables": include_local_variables},
        "max_request_body_size": "never",
        "trace_propagation_targets": [],  # no trace headers to other servers
        "trace_lifecycle": "static",  # spans are sent in their transaction, which its hook scrubs
        "stream_gen_ai_spans": False,
        "profiles_sample_rate": None,
        "spotlight": False,
        "before_send": scrubbing.event,
        "before_send_transaction": scrubbing.event,
        "before_breadcrumb": scrubbing.breadcrumb,
        "before_send_log": scrubbing.record,
        "before_send_metric": scrubbing.record,
    }
    # The application's own hooks come first: they may change an event, and the result is scrubbed.
    private |= {hook: _chain(options[hook], private[hook]) for hook in _HOOKS if options.get(hook)}
    integrations = list(options.pop("integrations", ()))
    # The command line may hold a share link. The exit of the process is handled with all pipelines: the
    # SDK's own handler would wait in addition, and print.
    disabled = [*options.pop("disabled_integrations", ()), ArgvIntegration, AtexitIntegration]
    options.pop("send_default_pii", None)  # the old name of data_collection
    sentry_sdk.init(
        **(defaults | options | private), integrations=integrations, disabled_integrations=disabled
    )
    sdk.active = sentry_sdk
    error_hooks.add_listener(ERROR_LISTENER)
    shutdown.register_pipeline("sentry", flush, close_at_exit)


def _chain(first: Hook, second: Hook) -> Hook:
    def both(item: Any, hint: Any) -> Any:
        item = first(item, hint)
        return None if item is None else second(item, hint)

    return both


def flush(timeout: float) -> None:
    """Wait until the queue is sent, for at most :data:`SHUTDOWN_S` seconds."""
    sentry_sdk.flush(min(timeout, SHUTDOWN_S))


def close_at_exit(timeout: float) -> None:
    """Send the queue for at most :data:`SHUTDOWN_S` seconds, and count the rest as dropped."""
    sentry_sdk.get_client().close(min(timeout, SHUTDOWN_S))


def stop(timeout: float) -> None:
    """Send the queue for at most ``timeout`` seconds and stop reporting."""
    shutdown.unregister_pipeline("sentry")
    error_hooks.remove_listener(ERROR_LISTENER)
    sdk.active = None
    sentry_sdk.get_client().close(timeout)
    sentry_sdk.get_global_scope().set_client(None)


class SentryErrorListener:
    """Reports unhandled exceptions of any ASGI application. The SDK sends each exception once."""

    def on_request(self) -> None:
        # The transaction may end outside of the middleware, where the id is no longer bound.
        transaction = sentry_sdk.get_current_scope().transaction
        if transaction is not None:
            transaction.set_tag("correlation_id", correlation.current())

    def on_error(self, error: Exception) -> None:
        mechanism = {"type": _framework(error), "handled": False}
        options = sentry_sdk.get_client().options
        event, hint = event_from_exception(error, client_options=options, mechanism=mechanism)
        sentry_sdk.capture_event(event, hint=hint)


def _framework(error: BaseException) -> str:
    """The framework that an exception went through, as the SDK names it; ``asgi`` without one."""
    trace = error.__traceback__
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in _FRAMEWORKS:
            return package
        trace = trace.tb_next
    return "asgi"


ERROR_LISTENER: Final = SentryErrorListener()
