"""Removes one scrubbing hook at a time: a leak search must then find a secret.

A hook with a second line of defence is removed together with it: breadcrumbs, for example, are scrubbed when
they are recorded and again within their event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sentry_sdk
from sentry_sdk.transport import HttpTransport

from tallow.monitoring import correlation, request_context
from tallow.monitoring.analytics import categories
from tallow.monitoring.health import result
from tallow.monitoring.http.route_templates import KnownRoute
from tallow.monitoring.http.routes import Routes
from tallow.monitoring.logging import excepthooks, stdlib
from tallow.monitoring.logging.pipeline import Pipeline
from tallow.monitoring.logging.scrubbing import ContextScrubber
from tallow.monitoring.logging.stdlib_hooks import handlers
from tallow.monitoring.metrics.family import Family
from tallow.monitoring.sentry import client, event_scrubbing, transport

Patch = Callable[[], None]


replace_hook = setattr
"""Replaces a hook by another function."""


def _same(value: Any) -> Any:
    return value


def _messages() -> None:
    replace_hook(ContextScrubber, "text", lambda _self, message: str(message))


def _context() -> None:
    scrubbed = ContextScrubber.clean

    def clean(self: ContextScrubber, given: dict[str, Any]) -> dict[str, Any]:
        return scrubbed(self, given) if set(given) == {"error"} else dict(given)

    replace_hook(ContextScrubber, "clean", clean)


def _errors() -> None:
    scrubbed = ContextScrubber.clean

    def clean(self: ContextScrubber, given: dict[str, Any]) -> dict[str, Any]:
        return dict(given) if set(given) == {"error"} else scrubbed(self, given)

    replace_hook(ContextScrubber, "clean", clean)


def _bound() -> None:
    replace_hook(Pipeline, "scrub_context", lambda _self, given: dict(given))


def _bridge() -> None:
    replace_hook(stdlib, "capture", lambda *_arguments, **_options: None)


def _handlers() -> None:
    replace_hook(handlers, "_prints", lambda _handler: False)
    replace_hook(handlers, "scrubbed", lambda record, **_options: record)


def _uncaught() -> None:
    replace_hook(excepthooks, "install", lambda _pipeline: None)


def _breadcrumbs() -> None:
    replace_hook(event_scrubbing.ScrubbingHooks, "breadcrumb", lambda _self, crumb, _hint: crumb)
    event_scrubbing._SECTIONS["breadcrumbs"] = _same


def _transport() -> None:
    replace_hook(transport.Transport, "capture_envelope", HttpTransport.capture_envelope)


def _envelope_headers() -> None:
    replace_hook(transport, "_scrubbed_headers", _same)


def _local_variables() -> None:
    event_scrubbing._SECTIONS["exception"] = _same
    event_scrubbing._SECTIONS["threads"] = _same


def _collection() -> None:
    client._COLLECT_NOTHING.clear()
    event_scrubbing._SECTIONS["request"] = _same


def _analytics() -> None:
    replace_hook(categories, "scrub", _same)


def _visitor() -> None:
    replace_hook(
        request_context, "user_agent", lambda: str(dict((request_context.current() or {}).get("headers", ())))
    )


def _health() -> None:
    replace_hook(result, "scrub", _same)


def _labels() -> None:
    def missing(self: Family, key: Any) -> int:
        return self._create(key if isinstance(key, tuple) else (key,))

    replace_hook(Family, "__missing__", missing)


def _routes() -> None:
    def template(self: Routes, scope: Any) -> str:
        return self._register(KnownRoute(str(scope["path"]), (scope["method"],)))

    replace_hook(Routes, "template", template)


def _correlation() -> None:
    replace_hook(correlation, "parse", _same)


PATCHES: dict[str, Patch] = {
    "log messages": _messages,
    "log context": _context,
    "log errors": _errors,
    "bound log context": _bound,
    "standard-library bridge": _bridge,
    "removal of printing handlers": _handlers,
    "uncaught exceptions": _uncaught,
    "Sentry breadcrumbs": _breadcrumbs,
    "Sentry transport": _transport,
    "Sentry envelope headers": _envelope_headers,
    "Sentry exceptions": _local_variables,
    "Sentry request": _collection,
    "analytics": _analytics,
    "visitor": _visitor,
    "health": _health,
    "metric labels": _labels,
    "routes": _routes,
    "correlation": _correlation,
}
OPTIONS: dict[str, str] = {
    "before_send": "before_send",
    "before_send_transaction": "before_send_transaction",
    "before_send_log": "before_send_log",
    "before_send_metric": "before_send_metric",
}
"""Hooks that are options of the Sentry SDK: option by name of the hook."""

HOOKS = (*PATCHES, *OPTIONS)


def remove_hook(hook: str) -> None:
    """Remove a hook in this process; the empty name removes none."""
    if hook in OPTIONS:
        init = sentry_sdk.init

        def init_without_hook(**options: Any) -> Any:
            return init(**{name: value for name, value in options.items() if name != OPTIONS[hook]})

        replace_hook(sentry_sdk, "init", init_without_hook)
    elif hook:
        PATCHES[hook]()
