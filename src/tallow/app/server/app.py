"""The server: everything put together as one ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route, WebSocketRoute

from tallow.app.features import FEATURES
from tallow.app.server.cluster.node import ClusterNode, room_cache
from tallow.app.server.context import ServerContext
from tallow.app.server.endpoints.relay import RelayEndpoint
from tallow.app.server.endpoints.rooms import RoomEndpoints
from tallow.app.server.endpoints.signaling import SignalingEndpoint
from tallow.app.server.endpoints.telemetry import TelemetryEndpoint
from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.rooms.cache import Cache
from tallow.app.server.rooms.manager import RoomManager
from tallow.app.server.rooms.store import RoomRecord, SqlStore, StoreError
from tallow.app.server.settings import ServerSettings
from tallow.app.server.transport.responses import ApiError, on_api_error, on_failure, on_http_exception
from tallow.app.wire import INFO_PATH, OPENAPI_PATH, RELAY_PATH, ROOMS_PATH, SIGNAL_PATH, TELEMETRY_PATH
from tallow.monitoring import instrument
from tallow.monitoring.health import Health
from tallow.monitoring.integrations.caches import instrument_cache
from tallow.monitoring.logging import logger
from tallow.monitoring.metrics import METRICS, Metrics

TASK_INTERVAL_S: Final = 1
LEASE_RENEWAL_INTERVALS: Final = 10
SWEEP_INTERVALS: Final = 300


def create_app(
    settings: ServerSettings,
    *,
    metrics: Metrics = METRICS,
    metrics_token: str | None = None,
    cluster: ClusterNode | None = None,
) -> Starlette:
    """The server as an instrumented ASGI application.

    Args:
        metrics: where to record; the process's own by default.
        metrics_token: bearer token for /metrics; without one it answers this machine only.
        cluster: this process's place among several; by default it is the only one.
    """
    cluster = cluster or ClusterNode()
    for feature in FEATURES:
        metrics.register_feature(feature)
    homes = cluster.directory
    store = SqlStore(settings.database, metrics)
    cache = instrument_cache(room_cache(settings, metrics), "rooms", metrics)
    lobby = RoomManager(settings, metrics, store, cache, name=homes.name)
    context = ServerContext(settings, metrics, store, lobby, ClientAddressHasher(), homes, cluster.forwarder)
    api = RoomEndpoints(context)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await store.open()
        ticking = asyncio.create_task(_run_periodic_tasks(context), name="tick")
        try:
            async with cluster.serve_internal(inner, settings):
                logger.info("Server started")
                yield
                logger.info("Server stops")
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            await cache.close()
            await store.close()

    app = Starlette(
        routes=[
            Route(ROOMS_PATH, api.create_room, methods=["POST"]),
            Route(TELEMETRY_PATH, TelemetryEndpoint(context).receive, methods=["POST"]),
            Route(INFO_PATH, api.info),
            Route(OPENAPI_PATH, api.openapi),
            WebSocketRoute(SIGNAL_PATH, SignalingEndpoint(context).serve),
            WebSocketRoute(RELAY_PATH, RelayEndpoint(context).serve),
            *_faults(settings, store, cache),
        ],
        exception_handlers={
            ApiError: on_api_error,
            HTTPException: on_http_exception,
            Exception: on_failure,
        },
        lifespan=lifespan,
    )
    app.state.context = context
    # What another process hands over was counted as a request there.
    inner = app.build_middleware_stack()
    health = Health()
    health.register_check("database", store.ping)
    # Without its cache a server is slower; without the Redis that says where rooms live it can admit nobody.
    health.register_check("cache", cache.ping, critical=settings.cluster_secret is not None)
    instrument(app, metrics=metrics, metrics_token=metrics_token, health=health)
    return app


def _faults(settings: ServerSettings, store: SqlStore, cache: Cache[RoomRecord]) -> list[Route]:
    """Fault switches, where they were asked for at the start; else their code is not even loaded."""
    if not settings.faults or settings.faults_token is None:
        return []
    from tallow.app.faults.server import FaultSwitches

    return [FaultSwitches(settings.faults_token.get_secret_value(), store.engine, cache).route]


async def _run_periodic_tasks(context: ServerContext) -> None:
    """Once a second: book what is due and end rooms whose time is over; now and then sweep the store."""
    ticks = 0
    while True:
        try:
            await context.rooms.run_due_tasks()
            if ticks % LEASE_RENEWAL_INTERVALS == 0:
                for room_id in await context.directory.renew_leases(list(context.rooms.live)):
                    context.rooms.evict(room_id)
            if ticks % SWEEP_INTERVALS == 0:
                await context.store.sweep()
        except StoreError:
            context.metrics.record_error("storage", "high")
            logger.warning("Database failed", during="tick")
        except Exception as error:  # noqa: BLE001 - one bad second must not end all later ones
            context.metrics.record_error("internal", "high")
            logger.error("Tick failed", exc_info=error)
        ticks += 1
        await asyncio.sleep(TASK_INTERVAL_S)
