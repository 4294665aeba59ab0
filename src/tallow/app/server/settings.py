"""What an operator sets: typed, from the environment and ``.env``; a bad value is one clear line."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tallow.monitoring.environment import MASKED, BadSettingError, Settings

__all__ = ["BadSettingError", "ServerSettings"]

KIB: Final = 1024
REDIS_SCHEMES: Final = ("redis://", "rediss://", "unix://")
ICE_SCHEMES: Final = ("stun:", "stuns:", "turn:", "turns:")
DRIVERS: Final = {
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}

Positive = Annotated[float, Field(gt=0, le=1e9)]
Count = Annotated[int, Field(ge=1, le=10**9)]
List = Annotated[tuple[str, ...], NoDecode]


class ServerSettings(Settings):
    """The server's settings. Times are seconds, sizes bytes. The environment variable is the field's name in
    capitals, except where an alias says otherwise."""

    data_dir: Path = Field(Path(".tallow"), validation_alias=AliasChoices("TALLOW_DATA_DIR", "data_dir"))
    database_url: Annotated[str | None, MASKED] = Field(
        None, description="postgresql://USER:PASSWORD@HOST/NAME or sqlite:///FILE"
    )
    redis_url: Annotated[str | None, MASKED] = Field(None, description="redis://, rediss:// or unix://")
    cluster_secret: SecretStr | None = Field(
        None, min_length=16, description="at least 16 characters, the same on all servers, beside REDIS_URL"
    )
    cluster_host: str = Field("127.0.0.1", description="the address at which other servers reach this one")
    faults: bool = Field(
        False,
        validation_alias=AliasChoices("TALLOW_FAULTS", "faults"),
        description="1 or 0; for drills alone",
    )
    faults_token: SecretStr | None = Field(
        None,
        min_length=16,
        validation_alias=AliasChoices("TALLOW_FAULTS_TOKEN", "faults_token"),
        description="at least 16 characters",
    )
    trusted_proxies: List = Field((), description="addresses or networks, separated by commas")
    ice_servers: List = Field((), description="stun: or turn: URLs, separated by commas")
    turn_secret: SecretStr | None = Field(None, description="coturn's static-auth-secret")

    room_lifetime: Positive = Field(86_400, description="seconds above 0")
    max_rooms: Count = Field(100_000, description="a whole number from 1")
    rooms_per_address: Count = Field(1_000, description="a whole number from 1")
    rooms_per_minute: Count = Field(60, description="a whole number from 1")
    joins_per_minute: Count = Field(120, description="a whole number from 1")
    sockets_per_address: Count = Field(500, description="a whole number from 1")
    reports_per_minute: Count = Field(120, description="a whole number from 1")
    relay_bandwidth: float = Field(0, ge=0, le=1e12, description="bytes a second for each room, 0: no limit")

    join_timeout: Positive = Field(10, description="seconds above 0")
    queue_limit: Positive = Field(300, description="seconds above 0")
    outcome_wait: Positive = Field(15, description="seconds above 0")
    lost_grace: Positive = Field(60, description="seconds above 0")
    stall_timeout: Positive = Field(120, description="seconds above 0")
    ping_interval: Positive = Field(20, description="seconds above 0")
    ping_timeout: Positive = Field(60, description="seconds above 0")

    @field_validator("trusted_proxies", "ice_servers", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            ipaddress.ip_network(part)
        return value

    @field_validator("ice_servers")
    @classmethod
    def _ice(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(url.startswith(ICE_SCHEMES) for url in value):
            raise ValueError("not an ICE URL")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(REDIS_SCHEMES):
            raise ValueError("not a Redis URL")
        return value

    @field_validator("cluster_secret")
    @classmethod
    def _cluster(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and info.data.get("redis_url") is None:
            raise ValueError("it needs REDIS_URL")
        return value

    @field_validator("database_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            url = make_url(value)
        except ArgumentError as error:
            raise ValueError("not a URL") from error
        driver = DRIVERS.get(url.drivername)
        if driver is None:
            raise ValueError("no such driver here")
        return url.set(drivername=driver).render_as_string(hide_password=False)

    @property
    def database(self) -> str:
        """The database's URL; SQLite in the data folder unless another is set."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'tallow.db'}"
