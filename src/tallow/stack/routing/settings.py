"""Whom alerts reach: settings from the environment or ``.env``, each also as ``…_FILE``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import DotEnvSettingsSource, EnvSettingsSource

MAILBOX_ADDRESS = "operator@localhost"
"""Where mail goes while no address is set: the stack's own mailbox keeps it."""

_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")
_URL = re.compile(r"https?://[^\s/]+\S*")
_ROUTING_KEY = re.compile(r"[A-Za-z0-9]{32}")
_OLD_NAMES = {"pagerduty_routing_key": "pagerduty_service_key"}


class AlertSettingsError(Exception):
    """A setting that cannot be used: one line that names it and what is accepted, never its value."""


def _addresses(value: str) -> str:
    parts = [part.strip() for part in value.split(",")]
    if not all(_ADDRESS.fullmatch(part) for part in parts):
        raise ValueError("give e-mail addresses, separated by commas")
    return ", ".join(parts)


def _url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise ValueError("give an address that starts with https:// or http://")
    return value


def _routing_key(value: str) -> str:
    if not _ROUTING_KEY.fullmatch(value):
        raise ValueError("give the 32 letters and digits of an Events API v2 integration key")
    return value


Addresses = Annotated[str, BeforeValidator(_addresses)]
SecretUrl = Annotated[SecretStr, BeforeValidator(_url)]
RoutingKey = Annotated[SecretStr, BeforeValidator(_routing_key)]


class AlertSettings(BaseSettings):
    """The operator's settings. What is not set is left out of every receiver that would use it.

    Read with :meth:`load`, whose errors are one line each.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        str_strip_whitespace=True,
        hide_input_in_errors=True,
    )

    alert_email_default: Addresses | None = None
    alert_email_critical: Addresses | None = None
    alert_email_performance: Addresses | None = None
    alert_email_security: Addresses | None = None
    alert_email_operations: Addresses | None = None
    alert_email_digest: Addresses | None = None
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_from: Addresses | None = None
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    slack_webhook_url: SecretUrl | None = None
    pagerduty_routing_key: RoutingKey | None = Field(
        default=None, validation_alias=AliasChoices("pagerduty_routing_key", "pagerduty_service_key")
    )
    heartbeat_url: SecretUrl | None = None

    @classmethod
    def load(cls, env_file: Path | None = Path(".env")) -> Self:
        """Read the environment and ``env_file``.

        Raises:
            AlertSettingsError: a setting is malformed, or one is missing that another needs.
        """
        try:
            return cls(_env_file=env_file)  # type: ignore[call-arg]
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
            reason = str(problem["msg"]).removeprefix("Value error, ")
            name = "_".join(str(part) for part in problem["loc"][:1]).upper()
            raise AlertSettingsError(f"{name}: {reason}" if name else reason) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        assert isinstance(env_settings, EnvSettingsSource)
        assert isinstance(dotenv_settings, DotEnvSettingsSource)
        variables = {**dotenv_settings.env_vars, **env_settings.env_vars}
        named_files = _FromFiles(settings_cls, variables)
        return init_settings, env_settings, dotenv_settings, named_files, file_secret_settings

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.smtp_host and not self.alert_email_default:
            raise ValueError("ALERT_EMAIL_DEFAULT: set an address, since SMTP_HOST is set")
        if self.smtp_password and not self.smtp_user:
            raise ValueError("SMTP_USER: set the name that SMTP_PASSWORD belongs to")
        return self

    def email(self, audience: str) -> str:
        """The addresses of an audience: ``critical``, ``performance``, … or ``default``."""
        own: str | None = getattr(self, f"alert_email_{audience}")
        return own or self.alert_email_default or MAILBOX_ADDRESS

    @property
    def sender(self) -> str:
        """The From address: ``SMTP_FROM``, else the SMTP user where that is one, else the default's first."""
        if self.smtp_from:
            return self.smtp_from
        if self.smtp_user and _ADDRESS.fullmatch(self.smtp_user):
            return self.smtp_user
        return self.email("default").partition(",")[0]


class _FromFiles(PydanticBaseSettingsSource):
    """Settings whose value stands in a file: ``NAME_FILE`` names it, ``NAME`` itself comes first."""

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._paths = {name.lower(): path for name, path in variables.items() if path}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        for name in (field_name, _OLD_NAMES.get(field_name, field_name)):
            if path := self._paths.get(f"{name}_file"):
                return _read(name.upper(), Path(path)), field_name, False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        values = (self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items())
        return {name: value for value, name, _ in values if value}


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise AlertSettingsError(f"{name}_FILE: cannot read the file ({error.strerror})") from None
