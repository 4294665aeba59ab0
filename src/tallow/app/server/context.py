"""What one server's endpoints share."""

from __future__ import annotations

from dataclasses import dataclass, field

from tallow.app.server.cluster.forwarding import RequestForwarder
from tallow.app.server.cluster.room_directory import RoomDirectory, SingleProcessDirectory
from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.limits.rate_limit import ConcurrencyLimiter, KeyedRateLimiter
from tallow.app.server.rooms.manager import RoomManager
from tallow.app.server.rooms.store import SqlStore
from tallow.app.server.settings import ServerSettings
from tallow.monitoring.metrics import Metrics


@dataclass(slots=True)
class ServerContext:
    """Settings, rooms and limits of one server."""

    settings: ServerSettings
    metrics: Metrics
    store: SqlStore
    lobby: RoomManager
    addresses: ClientAddressHasher
    homes: RoomDirectory = field(default_factory=SingleProcessDirectory)
    handoff: RequestForwarder = field(default_factory=RequestForwarder)
    makes: KeyedRateLimiter = field(init=False)
    joins: KeyedRateLimiter = field(init=False)
    reports: KeyedRateLimiter = field(init=False)
    sockets: ConcurrencyLimiter = field(init=False)

    def __post_init__(self) -> None:
        self.makes = KeyedRateLimiter(self.settings.rooms_per_minute)
        self.joins = KeyedRateLimiter(self.settings.joins_per_minute)
        self.reports = KeyedRateLimiter(self.settings.reports_per_minute)
        self.sockets = ConcurrencyLimiter(self.settings.sockets_per_address)
