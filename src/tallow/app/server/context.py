"""What the endpoints of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field

from tallow.app.server.cluster.forwarding import RequestForwarder
from tallow.app.server.cluster.room_directory import RoomDirectory, SingleProcessDirectory
from tallow.app.server.limits.address_quota import AddressQuota
from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.limits.rate_limit import ConcurrencyLimiter, KeyedRateLimiter
from tallow.app.server.rooms.client_outcomes import ClientOutcomes
from tallow.app.server.rooms.manager import RoomManager
from tallow.app.server.settings import ServerSettings
from tallow.app.server.storage.room_store import SqlStore
from tallow.monitoring.metrics import Metrics


@dataclass(slots=True)
class ServerContext:
    """Settings, rooms and limits of one server. The limits are per client address."""

    settings: ServerSettings
    metrics: Metrics
    store: SqlStore
    rooms: RoomManager
    address_hasher: ClientAddressHasher
    outcomes: ClientOutcomes
    address_quota: AddressQuota
    directory: RoomDirectory = field(default_factory=SingleProcessDirectory)
    forwarder: RequestForwarder = field(default_factory=RequestForwarder)
    creation_limiter: KeyedRateLimiter = field(init=False)
    join_limiter: KeyedRateLimiter = field(init=False)
    report_limiter: KeyedRateLimiter = field(init=False)
    socket_limiter: ConcurrencyLimiter = field(init=False)

    def __post_init__(self) -> None:
        self.creation_limiter = KeyedRateLimiter(self.settings.rooms_per_minute)
        self.join_limiter = KeyedRateLimiter(self.settings.joins_per_minute)
        self.report_limiter = KeyedRateLimiter(self.settings.reports_per_minute)
        self.socket_limiter = ConcurrencyLimiter(self.settings.sockets_per_address)
