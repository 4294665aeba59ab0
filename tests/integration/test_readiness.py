"""Readiness of a server whose PostgreSQL or Redis answers and refuses writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from support.programs.databases import postgres, redis_server
from tallow.app.server.cluster.redis import RedisCache, connect
from tallow.app.server.storage.database import StoreError
from tallow.app.server.storage.room_store import SqlStore
from tallow.monitoring.testing import fresh_metrics

pytestmark = pytest.mark.integration


async def test_a_postgresql_that_is_read_only_fails_the_check(tmp_path: Path) -> None:
    with postgres(tmp_path) as url:
        store = SqlStore(url.replace("postgresql://", "postgresql+asyncpg://"), fresh_metrics())
        await store.open()
        await store.check_writable()
        assert await store.count() == 0
        async with store.engine.connect() as connection:
            await connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
            await connection.commit()
        with pytest.raises(StoreError):
            await store.check_writable()
        await store.close()


async def test_a_redis_that_refuses_writes_fails_the_check(tmp_path: Path) -> None:
    with redis_server(tmp_path) as (url, _), Redis.from_url(url) as admin:
        cache = RedisCache(connect(url), fresh_metrics(), ttl=10)
        await cache.ping()
        assert int(admin.pttl("tallow:probe")) <= 1000
        admin.config_set("min-replicas-to-write", 1)
        with pytest.raises(RedisError):
            await cache.ping()
        await cache.close()
