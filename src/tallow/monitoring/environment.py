"""Typed settings from the environment and ``.env``, shared by everything an operator sets.

A variable is a field's name in capitals unless an alias says otherwise. A secret may stand in a file instead,
named by ``NAME_FILE``; ``NAME`` itself comes first. A bad value is one line: the variable, what it was
(masked if secret) and what is accepted.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, get_args

from pydantic import AliasChoices, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import DotEnvSettingsSource, EnvSettingsSource

from tallow.monitoring.outgoing import scrub

MASKED: Final = "masked"
"""Annotates a field that is no ``SecretStr`` and may hold a password all the same: a URL, for instance."""

MAX_SECRET_BYTES: Final = 64 * 1024
_SHOWN: Final = 80


class BadSettingError(Exception):
    """A setting that cannot be used; the text is one line for the operator."""


class Settings(BaseSettings):
    """What an operator sets. A field's ``description`` says what is accepted. Made by :meth:`load`."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Settings from the environment, ``.env`` and ``given`` (which wins; None counts as not given).

        Raises:
            BadSettingError: one line with the variable, what it was (masked if secret) and what is accepted.
        """
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            reason = str(problem["msg"]).removeprefix("Value error, ")
            if not problem["loc"]:
                raise BadSettingError(reason) from None
            name, field = _field(cls, str(problem["loc"][0]))
            accepted = (field.description if field else None) or reason
            raise BadSettingError(_line(name, field, problem["input"], accepted)) from None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise BadSettingError(f".env cannot be read: {why}") from None

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
        files = _SecretFiles(settings_cls, {**dotenv_settings.env_vars, **env_settings.env_vars})
        return init_settings, env_settings, dotenv_settings, files, file_secret_settings


class _SecretFiles(PydanticBaseSettingsSource):
    """Secrets whose value stands in a file that ``NAME_FILE`` names."""

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._set = {name.lower(): value for name, value in variables.items() if value}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = variable_of(field_name, field)
        path = self._set.get(f"{variable.lower()}_file")
        if path is None or self._set.get(variable.lower()):
            return None, field_name, False
        return _read(f"{variable}_FILE", Path(path)), field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields if is_secret(field)}
        return {name: value for name, value in found.items() if value is not None}


def is_secret(field: FieldInfo) -> bool:
    """Whether a field's value must never be shown."""
    return MASKED in field.metadata or SecretStr in {field.annotation, *get_args(field.annotation)}


def takes_files(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder itself where it is not there yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def variable_of(name: str, field: FieldInfo) -> str:
    """The environment variable of a field."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        alias = str(alias.choices[0])
    return (alias if isinstance(alias, str) else name).upper()


def _field(cls: type[BaseSettings], place: str) -> tuple[str, FieldInfo | None]:
    """The variable and field an error is about, which pydantic names by the alias that was used."""
    for name, field in cls.model_fields.items():
        alias = field.validation_alias
        names = alias.choices if isinstance(alias, AliasChoices) else [alias]
        if place.lower() in {name, *(str(known).lower() for known in names)}:
            return variable_of(name, field), field
    return place.upper(), None


def _line(variable: str, field: FieldInfo | None, value: Any, accepted: str) -> str:
    # A URL's password, or whatever was pasted here by mistake, is not for the log of a start that failed.
    was = "***" if field is None or is_secret(field) else repr(scrub(str(value)[:_SHOWN]))
    return f"{variable} is {was}; accepted: {accepted}"


def _read(variable: str, path: Path) -> str:
    """A secret's file, without the newline an editor leaves at its end."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        text = content.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise BadSettingError(f"{variable} is {str(path)!r}; accepted: a file one can read ({why})") from None
    if not text or len(content) > MAX_SECRET_BYTES:
        raise BadSettingError(f"{variable} is {str(path)!r}; accepted: a file of 1 byte to 64 KiB")
    return text
