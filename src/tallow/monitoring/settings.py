"""What an operator sets about monitoring: one typed object, from the environment and ``.env``.

Importing :mod:`tallow.monitoring` does not load this module (pydantic takes a while): the first part that
needs a setting does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr

from tallow.monitoring.environment import BadSettingError, Settings

__all__ = ["BadSettingError", "MonitoringSettings", "current_settings"]

KIB: Final = 1024
MIB: Final = 1024 * KIB

_TOKEN: Final = re.compile(r"[!-~]{16,}")
_URL: Final = re.compile(r"https?://[^\s/?#]+[^\s?#]*")
_DSN: Final = re.compile(r"https?://[^\s:@/]+(:[^\s@/]+)?@[^\s/]+/(\S+/)?\d+")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(/[\w./-]*)?")
_NAME: Final = re.compile(r"[\w.-]{1,64}")
_RELEASE: Final = re.compile(r"(?!\.{1,2}$)[^\s/\\]{1,200}")  # as Sentry accepts it
_LEVELS: Final = {"warn": "warning", "critical": "fatal"}


def _matching(pattern: re.Pattern[str]) -> BeforeValidator:
    def check(value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and not pattern.fullmatch(text):
            raise ValueError("it does not have that form")
        return value

    return BeforeValidator(check)


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _level(value: Any) -> Any:
    lowered = _lower(value)
    return _LEVELS.get(lowered, lowered) if isinstance(lowered, str) else lowered


Level = Annotated[Literal["debug", "info", "warning", "error", "fatal"], BeforeValidator(_level)]
Token = Annotated[SecretStr | None, _matching(_TOKEN)]
Url = Annotated[str, _matching(_URL)]
Rate = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=10**7)]
Bytes = Annotated[int, Field(ge=64 * KIB, le=2**50)]
Seconds = Annotated[float, Field(gt=0, le=600)]

_TOKENS: Final = "at least 16 printable characters without a space"
_URLS: Final = "an address that starts with https:// or http://, without query"
_COUNTS: Final = "a whole number from 1 to 10000000"
_RATES: Final = "a share from 0 to 1"
_BYTES: Final = "bytes, from 65536"
_SECONDS: Final = "seconds above 0, at most 600"


class MonitoringSettings(Settings):
    """The library's settings. Times are seconds, sizes bytes, rates shares from 0 to 1."""

    service_name: Annotated[str, _matching(_NAME)] = Field("tallow", description="letters, digits, . _ -")
    environment: Annotated[str, _matching(_NAME)] = Field(
        "production",
        validation_alias=AliasChoices("environment", "sentry_environment"),
        description="letters, digits, . _ -",
    )
    release: Annotated[str | None, _matching(_RELEASE)] = Field(
        None,
        validation_alias=AliasChoices("release", "sentry_release"),
        description="a name such as tallow@1.2.3, without space or slash",
    )

    metrics_token: Token = Field(None, description=_TOKENS)
    health_check_token: Token = Field(None, description=_TOKENS)

    log_level: Level = Field("info", description="debug, info, warning, error or fatal")
    log_format: Annotated[Literal["auto", "json", "console"], BeforeValidator(_lower)] = Field(
        "auto", description="auto (console on a terminal, else json), json or console"
    )
    log_file: Path | None = Field(None, description="the path of a file")
    log_endpoint: Url | None = Field(None, description=_URLS)
    log_endpoint_kind: Annotated[Literal["loki", "http"], BeforeValidator(_lower)] = Field(
        "loki", description="loki (its push API) or http (JSON lines)"
    )
    log_endpoint_token: Token = Field(None, description=_TOKENS)
    log_endpoint_timeout: Seconds = Field(5, description=_SECONDS)
    log_queue_size: Count = Field(10_000, description=_COUNTS)
    log_batch_size: Count = Field(500, description=_COUNTS)
    log_spool_dir: Path | None = Field(None, description="the path of a folder")
    log_spool_max_bytes: Bytes = Field(64 * MIB, description=_BYTES)

    sentry_dsn: Annotated[SecretStr | None, _matching(_DSN)] = Field(
        None, description="a DSN such as https://KEY@sentry.example.org/1"
    )
    sentry_sample_rate: Rate = Field(1.0, description=_RATES)
    sentry_traces_sample_rate: Rate = Field(0.1, description=_RATES)
    sentry_queue_size: Count = Field(100, description=_COUNTS)

    plausible_host: Url = Field("https://plausible.io", description=_URLS)
    plausible_domain: Annotated[str | None, _matching(_DOMAIN)] = Field(
        None, description="the site's name in Plausible, such as tallow.example.org"
    )
    plausible_queue_size: Count = Field(1_000, description=_COUNTS)
    plausible_timeout: Seconds = Field(5, description=_SECONDS)
    plausible_forward_address: bool = Field(
        False, description="true or false: pass the client's address on, so that Plausible can tell visits"
    )

    @property
    def metrics_bearer(self) -> str | None:
        """The token that opens /metrics, in clear."""
        return self.metrics_token.get_secret_value() if self.metrics_token else None

    @property
    def health_bearer(self) -> str | None:
        """The token that opens the detailed health answer, in clear."""
        return self.health_check_token.get_secret_value() if self.health_check_token else None


@lru_cache(maxsize=1)
def current_settings() -> MonitoringSettings:
    """The process's settings, read once.

    Raises:
        BadSettingError: one line with the variable, what it was (masked if secret) and what is accepted.
    """
    return MonitoringSettings.load()
