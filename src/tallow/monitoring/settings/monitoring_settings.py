"""The fields of the library's settings."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr

from tallow.monitoring.lazy_scrubber import privacy_module
from tallow.monitoring.settings.base import SHARED_NAME, Settings, is_writable_folder
from tallow.monitoring.settings.http_headers import HEADERS, TENANTS, Headers, Tenant
from tallow.monitoring.settings.process_options import PREFIX
from tallow.monitoring.settings.types import TOKENS, URLS, Token, Url, check_http_url, matching

KIB: Final = 1024
MIB: Final = 1024 * KIB

_DSN: Final = re.compile(r"https?://[^\s:@/]+(:[^\s@/]+)?@[^\s/]+/(\S+/)?\d+")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(/[\w./-]*)?")
_NAME: Final = re.compile(r"[\w.-]{1,64}")
_KEY: Final = re.compile(r"[\w.-]{0,99}[^\W\d_][\w.-]{0,99}")
_RELEASE: Final = re.compile(r"(?!\.{1,2}$)[^\s/\\]{1,200}")  # what Sentry accepts
_LEVELS: Final = {"warn": "warning", "critical": "fatal"}


def _dsn(value: Any) -> Any:
    """Reject a port that Sentry's SDK cannot use; the pattern checks the rest."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(text, str):
        check_http_url(text)
    return value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _level(value: Any) -> Any:
    lowered = _lower(value)
    return _LEVELS.get(lowered, lowered) if isinstance(lowered, str) else lowered


def _check_file(path: Path | None) -> Path | None:
    if path is not None and not (
        _is_writable_file(path) if path.exists() else is_writable_folder(path.parent)
    ):
        raise ValueError("it cannot be written")
    return path


def _is_writable_file(path: Path) -> bool:
    return not path.is_dir() and os.access(path, os.W_OK)


def _check_folder(path: Path | None) -> Path | None:
    if path is not None and not is_writable_folder(path):
        raise ValueError("it cannot be written to")
    return path


Level = Annotated[Literal["debug", "info", "warning", "error", "fatal"], BeforeValidator(_level)]
Rate = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=10**7)]
Bytes = Annotated[int, Field(ge=64 * KIB, le=2**50)]
Seconds = Annotated[float, Field(gt=0, le=600)]

WritableFile = Annotated[Path | None, AfterValidator(_check_file)]
WritableFolder = Annotated[Path | None, AfterValidator(_check_folder)]


def _split_list(text: str | None) -> tuple[str, ...]:
    """Split a comma-separated list; spaces around items are ignored."""
    return tuple(item for item in map(str.strip, (text or "").split(",")) if item)


def _check_rule_ids(text: str | None) -> str | None:
    engine = privacy_module("engine")
    for id_ in _split_list(text):
        if id_ not in engine.IDS:
            raise ValueError(f"there is no rule {id_!r}")
        if id_ in engine.SECRET_IDS:
            raise ValueError(f"{id_!r} is a row of secret keys")
    return text


def _check_key_names(text: str | None) -> str | None:
    if not all(map(_KEY.fullmatch, _split_list(text))):
        raise ValueError("a name of a key has letters, digits, . _ - only")
    return text


def _check_kept_keys(text: str | None) -> str | None:
    privacy_module("keys").Keys(keep=_split_list(_check_key_names(text)))
    return text


_NAMES: Final = "1 to 64 letters, digits, . _ -"
_COUNTS: Final = "a whole number from 1 to 10000000"
_RATES: Final = "a share from 0 to 1"
_BYTES: Final = "bytes, from 65536"
_SECONDS: Final = "seconds above 0, at most 600"
_DRAIN_SECONDS: Final = "seconds from 0 to 600"


class MonitoringSettings(Settings):
    """The library's settings: times in seconds, sizes in bytes, rates as shares from 0 to 1.

    Each field is the variable of the same name in capitals, with the prefix or without it; its ``title`` is
    the purpose and its ``description`` the accepted values. ``docs/settings.md`` lists all of them.

    Example:
        >>> from tallow.monitoring.settings import MonitoringSettings
        >>> MonitoringSettings.load(log_level="debug").log_level
        'debug'
    """

    prefix: ClassVar[str] = PREFIX

    service_name: Annotated[str | None, matching(_NAME), SHARED_NAME] = Field(
        None,
        title="Name in log lines, error reports and the detailed health response; by default the "
        "application's, else `app`",
        description=_NAMES,
    )
    environment: Annotated[str, matching(_NAME), SHARED_NAME] = Field(
        "production",
        title="Environment named in the same places",
        validation_alias=AliasChoices("environment", "sentry_environment"),
        description=_NAMES,
    )
    release: Annotated[str | None, matching(_RELEASE), SHARED_NAME] = Field(
        None,
        title="Version named in the same places; by default the application's",
        validation_alias=AliasChoices("release", "sentry_release"),
        description="a name such as shop@1.2.3, without space or slash",
    )

    metrics_token: Token | None = Field(
        None,
        title="Bearer token for /metrics; without one, only direct requests from this machine are allowed",
        description=TOKENS,
    )
    health_check_token: Token | None = Field(
        None,
        title="Bearer token for /api/health/detailed; without one, only direct requests from this machine "
        "are allowed",
        description=TOKENS,
    )

    drain_seconds: Annotated[float, Field(ge=0, le=600)] | None = Field(
        None,
        validation_alias="TALLOW_DRAIN_SECONDS",
        title="Time after SIGTERM in which readiness answers 503 and requests are still accepted; by default "
        "until no request is in flight, at most 2 seconds",
        description=_DRAIN_SECONDS,
    )

    log_level: Annotated[Level, SHARED_NAME] = Field(
        "info", title="Lowest level that is written", description="debug, info, warning, error or fatal"
    )
    log_format: Annotated[Literal["auto", "json", "console"], BeforeValidator(_lower), SHARED_NAME] = Field(
        "auto",
        title="Format of lines on standard output",
        description="auto (console on a terminal, else json), json or console",
    )
    log_file: Annotated[WritableFile, SHARED_NAME] = Field(
        None,
        title="Written instead of standard output or beside a terminal; rotated at 64 MiB, five are kept",
        description="the path of a file that can be written",
    )
    log_endpoint: Url | None = Field(
        None, title="Remote endpoint for log lines; not used unless set", description=URLS
    )
    log_endpoint_kind: Annotated[Literal["loki", "http"], BeforeValidator(_lower)] = Field(
        "loki", title="Protocol of the endpoint", description="loki (its push API) or http (JSON lines)"
    )
    log_endpoint_token: Token | None = Field(None, title="Bearer token for the endpoint", description=TOKENS)
    log_endpoint_headers: Headers | None = Field(
        None, title="More headers of each request to the endpoint", description=HEADERS
    )
    log_endpoint_tenant: Tenant | None = Field(
        None, title="Tenant of a multi-tenant endpoint, sent as X-Scope-OrgID", description=TENANTS
    )
    log_endpoint_timeout: Seconds = Field(
        5, title="Timeout of connecting, sending and each wait for the response", description=_SECONDS
    )
    log_queue_size: Count = Field(
        10_000, title="Lines queued in memory for the endpoint", description=_COUNTS
    )
    log_batch_size: Count = Field(500, title="Lines sent in one request", description=_COUNTS)
    log_spool_dir: WritableFolder = Field(
        None,
        title="Folder for batches while the endpoint is down; without it they are kept only in memory",
        description="the path of a folder that can be written to",
    )
    log_spool_max_bytes: Bytes = Field(
        64 * MIB,
        title="Maximum size of that folder; beyond it the oldest batches are dropped and counted",
        description=_BYTES,
    )

    scrub_disable: Annotated[str | None, AfterValidator(_check_rule_ids)] = Field(
        None,
        title="Rules and syntaxes of the scrubber to disable",
        description="ids of docs/privacy-rules.md separated by commas, no row of secret keys among them",
    )
    scrub_secret_keys: Annotated[str | None, AfterValidator(_check_key_names)] = Field(
        None,
        title="Additional keys whose values are always replaced",
        description="names separated by commas, such as patient_ref,ward",
    )
    scrub_keep_keys: Annotated[str | None, AfterValidator(_check_kept_keys)] = Field(
        None,
        title="Keys of personal data whose values are kept",
        description="names separated by commas, such as state,room; none that names a secret",
    )

    sentry_dsn: Annotated[SecretStr | None, matching(_DSN), BeforeValidator(_dsn)] = Field(
        None,
        title="Sentry project for errors and traces; not used unless set",
        description="a DSN such as https://KEY@sentry.example.org/1",
    )
    sentry_sample_rate: Rate = Field(1.0, title="Share of errors that is reported", description=_RATES)
    sentry_traces_sample_rate: Rate = Field(0.1, title="Share of traces that is reported", description=_RATES)
    sentry_queue_size: Count = Field(100, title="Envelopes queued in memory", description=_COUNTS)

    plausible_host: Url = Field("https://plausible.io", title="Address of Plausible", description=URLS)
    plausible_domain: Annotated[str | None, matching(_DOMAIN)] = Field(
        None,
        title="Site in Plausible; nothing is counted unless set",
        description="the site's name in Plausible, such as tallow.example.org",
    )
    plausible_queue_size: Count = Field(1_000, title="Events queued in memory", description=_COUNTS)
    plausible_timeout: Seconds = Field(5, title="Timeout of each attempt", description=_SECONDS)
    plausible_forward_address: bool = Field(
        False,
        title="Forward the client's address, so that Plausible can distinguish visits",
        description="true or false",
    )

    @property
    def scrubber_options(self) -> dict[str, Any]:
        """The arguments of :class:`~tallow.monitoring.privacy.Scrubber`."""
        return {
            "disable": _split_list(self.scrub_disable),
            "extra_keys": dict.fromkeys(_split_list(self.scrub_secret_keys), "secret"),
            "keep_keys": _split_list(self.scrub_keep_keys),
        }

    @property
    def metrics_bearer(self) -> str | None:
        """The token for /metrics, in plain text."""
        return self.metrics_token.get_secret_value() if self.metrics_token else None

    @property
    def health_bearer(self) -> str | None:
        """The token for /api/health/detailed, in plain text."""
        return self.health_check_token.get_secret_value() if self.health_check_token else None
