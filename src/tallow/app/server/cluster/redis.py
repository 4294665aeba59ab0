"""Redis as the cache of room records and as the room directory of several servers."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tallow.app.room_ids import common_part
from tallow.app.server.cluster.room_directory import NodeAddress, RoomLocationError
from tallow.app.server.storage.records import RoomRecord
from tallow.monitoring.errors import report_error
from tallow.monitoring.metrics import METRICS, Metrics

TIMEOUT_S: Final = 2
LEASE_S: Final = 30
PREFIX: Final = "tallow:"

# Atomic: renews a lease unless another server has it. A missing lease is taken again, because a Redis that
# lost its data must not end transfers.
_RENEW: Final = """
local owner = redis.call('get', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
_RELEASE: Final = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""


def connect(url: str) -> Redis:
    """A client whose calls time out after :data:`TIMEOUT_S` seconds."""
    client: Redis = Redis.from_url(
        url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, decode_responses=True
    )
    return client


class RedisCache:
    """Room records in Redis. While it is not reachable the cache is empty and transfers go on.

    Args:
        ttl: seconds until an entry expires.
    """

    def __init__(self, redis: Redis, metrics: Metrics, *, ttl: float) -> None:
        self._redis = redis
        self._metrics = metrics
        self._ttl = round(ttl * 1000)

    async def get(self, key: str) -> RoomRecord | None:
        try:
            found = await self._redis.get(f"{PREFIX}room:{key}")
        except (RedisError, OSError) as error:
            self._report(error)
            return None
        try:
            return None if found is None else RoomRecord(**orjson.loads(found))
        except (orjson.JSONDecodeError, TypeError):  # written by another version
            return None

    async def set(self, key: str, value: RoomRecord) -> None:
        await self._try(self._redis.set(f"{PREFIX}room:{key}", orjson.dumps(asdict(value)), px=self._ttl))

    async def delete(self, key: str) -> None:
        await self._try(self._redis.delete(f"{PREFIX}room:{key}"))

    async def clear(self) -> None:
        async for key in self._redis.scan_iter(f"{PREFIX}room:*"):
            await self._try(self._redis.delete(key))

    async def ping(self) -> None:
        """Readiness check: write a key that expires. Redis may answer and refuse writes."""
        await self._redis.set(f"{PREFIX}probe", "1", px=1000)

    async def close(self) -> None:
        await self._redis.aclose()

    async def _try(self, call: Any) -> None:
        try:
            await call
        except (RedisError, OSError) as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        report_error("storage", "medium", "The cache of rooms failed", error=error, metrics=self._metrics)


class RedisRoomDirectory:
    """For several servers: the first one that a peer of a room joins owns it, and renews a lease on it.

    Args:
        address: ``host:port`` of this process for the other servers.
        lease: seconds after which the rooms of an exited server become available.
        metrics: counts failures of Redis, which are logged, too.
    """

    def __init__(self, redis: Redis, address: str, lease: int = LEASE_S, metrics: Metrics = METRICS) -> None:
        self._redis = redis
        self._metrics = metrics
        self._address = address
        self._lease = lease
        self.name = secrets.token_hex(6)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)

    async def open(self) -> None:
        try:
            await self._announce()
        except (RedisError, OSError) as error:
            self._report(error)  # the next renewal tries again; until then this server owns no rooms

    async def locate_room(self, room_id: str) -> NodeAddress | None:
        try:
            for _ in range(2):  # twice: the lease may expire between the two commands
                key = _owner_key(room_id)
                if await self._redis.set(key, self.name, nx=True, ex=self._lease):
                    return None
                owner = await self._redis.get(key)
                if owner == self.name:
                    return None
                if owner is not None:
                    return await self._address_of(str(owner))
        except (RedisError, OSError) as error:
            self._report(error)
            raise RoomLocationError(room_id) from error
        raise RoomLocationError(room_id)

    async def locate_token(self, token: str) -> NodeAddress | None:
        name = token.partition(".")[0]
        if name == self.name or len(name) != len(self.name) or not name.isalnum():
            return None
        try:
            return await self._address_of(name)
        except (RedisError, OSError) as error:
            self._report(error)
            return None
        except RoomLocationError:
            return None

    async def renew_leases(self, room_ids: Iterable[str]) -> list[str]:
        try:
            await self._announce()
            wanted = list(room_ids)
            lost = {key for key in {_owner_key(each) for each in wanted} if not await self._renewed(key)}
            return [room_id for room_id in wanted if _owner_key(room_id) in lost]
        except (RedisError, OSError) as error:
            self._report(error)
            return []

    async def release_room(self, room_id: str) -> None:
        try:
            await self._release(keys=[_owner_key(room_id)], args=[self.name])
        except (RedisError, OSError) as error:
            self._report(error)  # the lease expires

    def is_own_id(self, room_id: str) -> bool:
        return True  # the first server that a peer joins owns the room

    async def owned_by_others(self, room_ids: Sequence[str]) -> set[str]:
        try:
            owners = await self._redis.mget([_owner_key(room_id) for room_id in room_ids])
        except (RedisError, OSError) as error:
            self._report(error)
            return set(room_ids)
        pairs = zip(room_ids, owners, strict=True)
        return {room_id for room_id, owner in pairs if owner not in {None, self.name}}

    async def close(self) -> None:
        await self._redis.aclose()

    async def _renewed(self, key: str) -> bool:
        return bool(await self._renew(keys=[key], args=[self.name, self._lease]))

    async def _announce(self) -> None:
        await self._redis.set(f"{PREFIX}server:{self.name}", self._address, ex=self._lease)

    async def _address_of(self, name: str) -> NodeAddress:
        address = await self._redis.get(f"{PREFIX}server:{name}")
        if address is None:
            raise RoomLocationError(name)
        return NodeAddress(str(address))

    def _report(self, error: Exception) -> None:
        """Without the directory no peer can join a room of another server."""
        report_error("storage", "high", "The room directory failed", error=error, metrics=self._metrics)


def _owner_key(room_id: str) -> str:
    """The key of the lease on a room and the other rooms of its link."""
    return f"{PREFIX}owner:{common_part(room_id)}"
