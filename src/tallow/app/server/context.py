"""What one server's endpoints share."""

from __future__ import annotations

from dataclasses import dataclass, field

from tallow.app.server.addresses import Addresses
from tallow.app.server.handoff import Handoff
from tallow.app.server.homes import Alone, Homes
from tallow.app.server.limits import Held, Limiter
from tallow.app.server.lobby import Lobby
from tallow.app.server.settings import ServerSettings
from tallow.app.server.store import SqlStore
from tallow.monitoring.metrics import Metrics


@dataclass(slots=True)
class Context:
    """Settings, rooms and limits of one server."""

    settings: ServerSettings
    metrics: Metrics
    store: SqlStore
    lobby: Lobby
    addresses: Addresses
    homes: Homes = field(default_factory=Alone)
    handoff: Handoff = field(default_factory=Handoff)
    makes: Limiter = field(init=False)
    joins: Limiter = field(init=False)
    reports: Limiter = field(init=False)
    sockets: Held = field(init=False)

    def __post_init__(self) -> None:
        self.makes = Limiter(self.settings.rooms_per_minute)
        self.joins = Limiter(self.settings.joins_per_minute)
        self.reports = Limiter(self.settings.reports_per_minute)
        self.sockets = Held(self.settings.sockets_per_address)
