"""Settings of the server, from the environment and ``.env``."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tallow.monitoring.settings.base import MASKED, BadSettingError, Settings
from tallow.monitoring.settings.types import Host

__all__ = ["BadSettingError", "ServerSettings"]

REDIS_SCHEMES: Final = ("redis://", "rediss://", "unix://")
ICE_SCHEMES: Final = ("stun:", "stuns:", "turn:", "turns:")
DRIVERS: Final = {
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}

PositiveSeconds = Annotated[float, Field(gt=0, le=1e9)]
PositiveInteger = Annotated[int, Field(ge=1, le=10**9)]
StringTuple = tuple[str, ...]
_SECONDS: Final = "seconds above 0"
_WHOLE_NUMBER: Final = "a whole number from 1"


class ServerSettings(Settings):
    """Settings of the server. Times are in seconds, sizes in bytes."""

    strict_env_file = True

    data_dir: Path = Field(
        Path(".tallow"),
        validation_alias="TALLOW_DATA_DIR",
        title="Folder of the database; `--data-dir` takes precedence",
        description="the path of a folder",
    )
    database_url: Annotated[str | None, MASKED] = Field(
        None,
        title="Database; by default SQLite in the data folder",
        description="postgresql://USER:PASSWORD@HOST/NAME or sqlite:///FILE",
    )
    redis_url: Annotated[str | None, MASKED] = Field(
        None,
        title="Cache and room directory of several servers; by default this process's memory",
        description="redis://, rediss:// or unix://",
    )
    cluster_secret: SecretStr | None = Field(
        None,
        min_length=16,
        title="Authenticates servers to one another",
        description="at least 16 characters, the same on all servers, beside REDIS_URL",
    )
    cluster_host: Host = Field(
        "127.0.0.1",
        title="Address at which other servers reach this one",
        description="a host name or an IP address",
    )
    faults: bool = Field(
        False,
        validation_alias="TALLOW_FAULTS",
        title="Load the fault switches",
        description="1 or 0; only for drills",
    )
    faults_token: SecretStr | None = Field(
        None,
        min_length=16,
        validation_alias="TALLOW_FAULTS_TOKEN",
        title="Bearer token of the fault switches",
        description="at least 16 characters",
    )
    trusted_proxies: StringTuple = Field(
        (),
        title="Proxies whose X-Forwarded-For header is trusted",
        description="addresses or networks, separated by commas",
    )
    ice_servers: StringTuple = Field(
        (), title="STUN and TURN servers for peers", description="stun: or turn: URLs, separated by commas"
    )
    turn_secret: SecretStr | None = Field(
        None, title="Secret for TURN credentials that expire", description="coturn's static-auth-secret"
    )

    room_lifetime: PositiveSeconds = Field(86_400, title="Lifetime of a link", description=_SECONDS)
    max_rooms: PositiveInteger = Field(100_000, title="Maximum rooms", description=_WHOLE_NUMBER)
    rooms_per_address: PositiveInteger = Field(
        1_000, title="Maximum rooms of one address", description=_WHOLE_NUMBER
    )
    room_share: float = Field(
        0.1,
        gt=0,
        le=1,
        title="Share of the free places for rooms that one address may hold; its IPv4 /24 or IPv6 /48 twice, "
        "its IPv6 /40 four times as much",
        description="a number above 0, up to 1",
    )
    rooms_per_minute: PositiveInteger = Field(
        60, title="New rooms of one address per minute", description=_WHOLE_NUMBER
    )
    joins_per_minute: PositiveInteger = Field(
        120, title="Joins of one address per minute", description=_WHOLE_NUMBER
    )
    sockets_per_address: PositiveInteger = Field(
        500, title="Maximum WebSockets of one address", description=_WHOLE_NUMBER
    )
    reports_per_minute: PositiveInteger = Field(
        120, title="Telemetry reports of one address per minute", description=_WHOLE_NUMBER
    )
    failures_per_address: PositiveInteger = Field(
        12,
        title="Failures, or slow events, of one kind that one address may report in ten minutes",
        description=_WHOLE_NUMBER,
    )
    errors_per_address: PositiveInteger = Field(
        15, title="Errors that one address may report in ten minutes", description=_WHOLE_NUMBER
    )
    relayed_per_address: PositiveInteger = Field(
        30, title="Relayed transfers that one address may report in ten minutes", description=_WHOLE_NUMBER
    )
    queued_per_address: PositiveInteger = Field(
        50, title="Rooms of one address that count as queued", description=_WHOLE_NUMBER
    )
    relay_bandwidth: float = Field(
        0,
        ge=0,
        le=1e12,
        title="Relay bandwidth",
        description="bytes per second for each room; 0: no limit",
    )

    connections_per_address: PositiveInteger = Field(
        100, title="Maximum connections of one address, without WebSockets", description=_WHOLE_NUMBER
    )
    connections_per_minute: PositiveInteger = Field(
        1_200, title="New connections of one address per minute", description=_WHOLE_NUMBER
    )
    requests_per_minute: PositiveInteger = Field(
        3_000, title="Requests of one address per minute", description=_WHOLE_NUMBER
    )
    max_connections: PositiveInteger = Field(
        10_000,
        title="Maximum connections of one process, as far as its descriptor limit allows",
        description=_WHOLE_NUMBER,
    )
    reserved_descriptors: PositiveInteger = Field(
        128,
        title="File descriptors that connections leave free for files, databases and probes",
        description=_WHOLE_NUMBER,
    )
    max_header_bytes: PositiveInteger = Field(
        32 * 1024, title="Maximum size of a request's line and header", description=_WHOLE_NUMBER
    )
    header_timeout: PositiveSeconds = Field(
        10, title="Limit for a TLS handshake and a request's header", description=_SECONDS
    )
    body_timeout: PositiveSeconds = Field(30, title="Limit for a request's body", description=_SECONDS)
    write_timeout: PositiveSeconds = Field(
        60, title="Time for which a client may not read a response", description=_SECONDS
    )
    keep_alive_timeout: PositiveSeconds = Field(
        15, title="Time for which a connection is kept without a request", description=_SECONDS
    )
    join_timeout: PositiveSeconds = Field(
        10, title="Limit for the first message of a WebSocket", description=_SECONDS
    )
    max_queued_seconds: PositiveSeconds = Field(
        300, title="Time for which a room may count as queued", description=_SECONDS
    )
    confirmation_limit: PositiveSeconds = Field(
        300, title="Limit for the confirmation by a person at the receiver", description=_SECONDS
    )
    outcome_report_timeout: PositiveSeconds = Field(
        15, title="Wait for the sender's report of an outcome", description=_SECONDS
    )
    sender_reconnect_grace: PositiveSeconds = Field(
        60, title="Time in which a disconnected sender may rejoin", description=_SECONDS
    )
    stall_timeout: PositiveSeconds = Field(
        120, title="Longest pause of a relayed transfer", description=_SECONDS
    )
    ping_interval: PositiveSeconds = Field(
        20, title="Interval between pings of a WebSocket", description=_SECONDS
    )
    ping_timeout: PositiveSeconds = Field(60, title="Limit for the answer to a ping", description=_SECONDS)

    @field_validator("trusted_proxies", "ice_servers", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            ipaddress.ip_network(part)
        return value

    @field_validator("ice_servers")
    @classmethod
    def _check_ice_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(url.startswith(ICE_SCHEMES) for url in value):
            raise ValueError("not an ICE URL")
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(REDIS_SCHEMES):
            raise ValueError("not a Redis URL")
        return value

    @field_validator("cluster_secret")
    @classmethod
    def _check_cluster_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and info.data.get("redis_url") is None:
            raise ValueError("it needs REDIS_URL")
        return value

    @field_validator("database_url")
    @classmethod
    def _normalize_database_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            url = make_url(value)
        except ArgumentError as error:
            raise ValueError("not a URL") from error
        driver = DRIVERS.get(url.drivername)
        if driver is None:
            raise ValueError("unsupported driver")
        return url.set(drivername=driver).render_as_string(hide_password=False)

    @property
    def database(self) -> str:
        """The URL of the database; by default SQLite in the data folder."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'tallow.db'}"
