"""The server as one ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route, WebSocketRoute

from tallow import __version__
from tallow.app.server.cluster.node import ClusterNode, room_cache
from tallow.app.server.context import ServerContext
from tallow.app.server.endpoints.proxied_requests import ProxiedRequestLimits
from tallow.app.server.endpoints.relay import RelayEndpoint
from tallow.app.server.endpoints.rooms import RoomEndpoints
from tallow.app.server.endpoints.signaling import SignalingEndpoint
from tallow.app.server.endpoints.socket_router import SocketApplication
from tallow.app.server.endpoints.telemetry import TelemetryEndpoint
from tallow.app.server.endpoints.web_app import web_app_routes
from tallow.app.server.limits.address_quota import AddressQuota
from tallow.app.server.limits.catalog import LIMITS
from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.readiness import DatabaseCheck
from tallow.app.server.rooms.cache import Cache
from tallow.app.server.rooms.client_outcomes import ClientOutcomes
from tallow.app.server.rooms.manager import RoomManager
from tallow.app.server.settings import ServerSettings
from tallow.app.server.storage.database import StoreError
from tallow.app.server.storage.outcome_store import OutcomeStore
from tallow.app.server.storage.records import RoomRecord
from tallow.app.server.storage.room_store import SqlStore
from tallow.app.server.transport.responses import (
    ApiError,
    on_api_error,
    on_disconnect,
    on_failure,
    on_http_exception,
)
from tallow.app.wire import (
    FEATURES,
    INFO_PATH,
    OPENAPI_PATH,
    RELAY_PATH,
    ROOMS_PATH,
    SIGNAL_PATH,
    TELEMETRY_PATH,
)
from tallow.monitoring import Monitoring
from tallow.monitoring.catalog import CATALOGS, HTTP_METHODS, NAMESPACE, OTHER
from tallow.monitoring.errors import report_error
from tallow.monitoring.exposition import scrape
from tallow.monitoring.health import Health, responses
from tallow.monitoring.health.report import CACHE_SECONDS
from tallow.monitoring.http.response_log import log_response
from tallow.monitoring.logging import logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.metrics import METRICS, Metrics
from tallow.monitoring.settings import process_options

TASK_INTERVAL_S: Final = 1
LEASE_RENEWAL_INTERVALS: Final = 10
SWEEP_INTERVALS: Final = 300

_EXCEPTION_HANDLERS: Final[dict[Any, Any]] = {
    ApiError: on_api_error,
    HTTPException: on_http_exception,
    ClientDisconnect: on_disconnect,
    Exception: on_failure,
}

RouteFactory = Callable[[SqlStore, Cache[RoomRecord]], Sequence[Route]]
"""Makes routes that need the server's store and cache."""


def create_app(
    settings: ServerSettings,
    *,
    metrics: Metrics = METRICS,
    metrics_token: str | None = None,
    cluster: ClusterNode | None = None,
    extra_routes: RouteFactory = lambda _store, _cache: (),
) -> Starlette:
    """The server as an instrumented ASGI application.

    Args:
        metrics: where the server records; the process's default metrics by default.
        metrics_token: bearer token of /metrics; without one only this machine may read it.
        cluster: this process as one of several; by default it is the only one.
        extra_routes: further routes, such as the fault switches of drills.
    """
    process_options.set_program("tallow", __version__)
    node = cluster or ClusterNode()
    health = Health(ahead=CACHE_SECONDS / 2)
    # No service and version: an operator's SERVICE_NAME and RELEASE take precedence over set_program.
    monitoring = Monitoring(
        NAMESPACE,
        catalogs=CATALOGS,
        metrics=metrics,
        metrics_token=metrics_token,
        health=health,
        on_response=log_response,
    )
    _register_label_values(metrics)
    store = SqlStore(settings.database, metrics)
    cache = room_cache(settings, metrics)
    context = _context(settings, metrics, node, store, cache)
    app = SocketApplication(
        routes=[*_routes(context), *extra_routes(store, cache)],
        exception_handlers=_EXCEPTION_HANDLERS,
        middleware=[Middleware(ProxiedRequestLimits, context)] if settings.trusted_proxies else [],
        lifespan=partial(_lifespan, node, cache),
    )
    app.state.context = context
    # Not instrumented: the process that forwards a request has counted it.
    app.state.internal = app.build_middleware_stack()
    _register_checks(health, settings, store, cache)
    monitoring.instrument(app)
    return app


@asynccontextmanager
async def _lifespan(node: ClusterNode, cache: Cache[RoomRecord], app: Starlette) -> AsyncIterator[None]:
    context: ServerContext = app.state.context
    await context.store.open()
    await context.outcomes.open()
    tasks = asyncio.create_task(_run_periodic_tasks(context), name="periodic tasks")
    try:
        async with node.serve_internal(app.state.internal, app, context.settings):
            logger.info("Server started")
            yield
            logger.info("Server stopping")
    finally:
        tasks.cancel()
        with suppress(asyncio.CancelledError):
            await tasks
        await cache.close()
        await context.store.close()


def _context(
    settings: ServerSettings,
    metrics: Metrics,
    node: ClusterNode,
    store: SqlStore,
    cache: Cache[RoomRecord],
) -> ServerContext:
    """What the endpoints share."""
    outcomes = ClientOutcomes(metrics, OutcomeStore(store.engine))
    quota = AddressQuota(settings, node.quota_file, metrics.record_limit_rejection)
    rooms = RoomManager(
        settings,
        metrics,
        store,
        cache,
        name=node.directory.name,
        outcomes=outcomes,
        address_quota=quota,
        workers=node.workers,
        is_own_id=node.directory.is_own_id,
        owned_by_others=node.directory.owned_by_others,
    )
    hasher = ClientAddressHasher()
    return ServerContext(
        settings, metrics, store, rooms, hasher, outcomes, quota, node.directory, node.forwarder
    )


def _register_label_values(metrics: Metrics) -> None:
    """Let the series of all features, limits and routes exist at 0 from the first scrape."""
    for feature in FEATURES:
        metrics.register_feature(feature)
    for limit in LIMITS:
        metrics.register_limit(limit)
    for path in (*scrape.PATHS, *responses.PATHS):
        metrics.register_route(path)
    metrics.register_route(OTHER, HTTP_METHODS)


def _routes(context: ServerContext) -> list[Route | WebSocketRoute]:
    rooms = RoomEndpoints(context)
    return [
        Route(ROOMS_PATH, rooms.create_room, methods=["POST"]),
        Route(TELEMETRY_PATH, TelemetryEndpoint(context).receive, methods=["POST"]),
        Route(INFO_PATH, rooms.info),
        Route(OPENAPI_PATH, rooms.openapi),
        WebSocketRoute(SIGNAL_PATH, SignalingEndpoint(context).serve),
        WebSocketRoute(RELAY_PATH, RelayEndpoint(context).serve),
        *web_app_routes(),
    ]


def _register_checks(
    health: Health, settings: ServerSettings, store: SqlStore, cache: Cache[RoomRecord]
) -> None:
    health.register_check("database", DatabaseCheck(store).run)  # at most once a second: reports are cached
    # Without a cache the server is slower. In a cluster the same Redis is the room directory, without which
    # no peer can join.
    health.register_check("cache", cache.ping, critical=settings.cluster_secret is not None)


async def _run_periodic_tasks(context: ServerContext) -> None:
    """Every second: record outcomes that are due and remove expired rooms. Less often: renew the leases of
    rooms, and delete expired rooms from the store."""
    interval = 0
    while True:
        try:
            await context.rooms.run_due_tasks()
            if interval % LEASE_RENEWAL_INTERVALS == 0:
                for room_id in await context.directory.renew_leases(list(context.rooms.live)):
                    context.rooms.evict(room_id)
            if interval % SWEEP_INTERVALS == 0:
                await context.store.sweep()
                await context.outcomes.sweep()
            REPEATS.flush_due()
        except StoreError as error:
            report_error(
                "storage", "high", "Expired rooms cannot be deleted", error=error, metrics=context.metrics
            )
        except Exception as error:  # noqa: BLE001 - one failure must not end the task
            report_error("internal", "high", "A periodic task failed", error=error, metrics=context.metrics)
        interval += 1
        await asyncio.sleep(TASK_INTERVAL_S)
