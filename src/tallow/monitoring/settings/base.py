"""Base class of all settings: typed values from the environment and ``.env``.

The variable of a field is its name in capitals, unless the field has an alias. A secret can be in a file that
``NAME_FILE`` names; ``NAME`` takes precedence.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, Self, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from tallow.monitoring.lazy_scrubber import privacy_module
from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.variable_source import FoundValue, VariableSource, place_suffix

__all__ = [
    "MASKED",
    "BadSettingError",
    "SettingVariables",
    "Settings",
    "is_secret",
    "is_writable_folder",
    "variable_names",
    "variable_of",
]

MASKED: Final = "masked"
"""Annotates a field that is not a ``SecretStr`` and may contain a password, such as a URL."""

_MAX_SHOWN: Final = 80
"""Characters of a bad value in an error."""


class SettingVariables(NamedTuple):
    """The variables of one setting. The first that has a value is used.

    Attributes:
        names: variables with the value itself, the documented one first.
        files: variables that name a file with the value, read after all ``names``.
    """

    names: tuple[str, ...]
    files: tuple[str, ...] = ()


class Settings(BaseModel):
    """Base class of settings. A field's ``title`` is its purpose, its ``description`` the accepted values.

    :meth:`load` reads the variables; the constructor takes values and reads nothing.

    Attributes:
        files_for_all: whether every variable has a ``NAME_FILE``, not only secrets.
        strict_env_file: whether an invalid line of ``.env`` is an error. The library does not require it,
            because an application's own ``.env`` may have another syntax.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    files_for_all: ClassVar[bool] = False
    strict_env_file: ClassVar[bool] = False

    @classmethod
    def load(cls, source: VariableSource | None = None, /, **given: Any) -> Self:
        """Read the settings from a source.

        Args:
            source: by default the process's environment and ``.env``.
            given: values that take precedence; None counts as not given.

        Raises:
            BadSettingError: one line with the variable, its value (masked if secret), what is accepted and
            the
                file that contains it, if any.

        Example:
            >>> class ShopSettings(Settings):
            ...     shop_port: int = 8000
            >>> ShopSettings.load(VariableSource({"SHOP_PORT": "9000"})).shop_port
            9000
        """
        source = source or VariableSource.of_process(strict=cls.strict_env_file)
        if cls.strict_env_file and source.env_file:
            source.env_file.refuse_problems(cls.variables())
        chosen = {name: value for name, value in given.items() if value is not None}
        found = cls._find_all(source, except_for=chosen)
        try:
            return cls(**{name: value.value for name, value in found.items()}, **chosen)
        except ValidationError as error:
            raise _error_line(cls, error, found) from None

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """Return all environment variables that are read, with aliases and ``NAME_FILE``."""
        return tuple(name for setting in cls.setting_variables() for name in (*setting.names, *setting.files))

    @classmethod
    def setting_variables(cls) -> tuple[SettingVariables, ...]:
        """Return the variables of each setting."""
        return tuple(
            SettingVariables(names, tuple(f"{one}_FILE" for one in names) if cls.takes_file(field) else ())
            for name, field in cls.model_fields.items()
            for names in [tuple(variable_names(name, field))]
        )

    @classmethod
    def takes_file(cls, field: FieldInfo) -> bool:
        """Whether the value of a field can be in a file that ``NAME_FILE`` names."""
        return cls.files_for_all or is_secret(field)

    @classmethod
    def _find_all(cls, source: VariableSource, except_for: Collection[str]) -> dict[str, FoundValue]:
        """Return the values of a source by field name."""
        fields = {name: field for name, field in cls.model_fields.items() if name not in except_for}
        values = {name: cls._find(name, field, source) for name, field in fields.items()}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def _find(cls, name: str, field: FieldInfo, source: VariableSource) -> FoundValue | None:
        names = variable_names(name, field)
        found = source.find(names)
        if found is None and cls.takes_file(field):
            found = next((one for alias in names if (one := source.find_in_file(alias))), None)
        if found is not None and not found.value.isprintable():
            raise _bad_value(names[0], field, found.value, field.description or "printable text", found.place)
        return found


def is_secret(field: FieldInfo) -> bool:
    """Whether a field's value must never be shown."""
    return MASKED in field.metadata or _mentions(field.annotation, SecretStr)


def is_writable_folder(folder: Path) -> bool:
    """Whether files can be created in a folder, or in its nearest existing parent if it does not exist."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def variable_of(name: str, field: FieldInfo) -> str:
    """Return the documented environment variable of a field."""
    return variable_names(name, field)[0]


def variable_names(name: str, field: FieldInfo) -> list[str]:
    """Return the variables that set a field: the documented one first, then its aliases."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice).upper() for choice in alias.choices]
    return [(alias if isinstance(alias, str) else name).upper()]


def _mentions(annotation: Any, kind: type) -> bool:
    return annotation is kind or any(_mentions(part, kind) for part in get_args(annotation))


def _error_line(cls: type[Settings], error: ValidationError, found: dict[str, FoundValue]) -> BadSettingError:
    problem = error.errors(include_url=False)[0]
    reason = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return BadSettingError(reason)
    place = str(problem["loc"][0])
    for name, field in cls.model_fields.items():
        names = variable_names(name, field)
        if place.upper() in {name.upper(), *names}:
            where = found[name].place if name in found else ""
            return _bad_value(names[0], field, problem["input"], field.description or reason, where)
    return BadSettingError(f"{place.upper()} is ***; accepted: {reason}")


def _bad_value(variable: str, field: FieldInfo, value: Any, accepted: str, place: str) -> BadSettingError:
    # The password of a URL, or a secret in the wrong variable, must not reach a log.
    text = str(value)[:_MAX_SHOWN].encode("utf-8", "backslashreplace").decode()
    shown = "***" if is_secret(field) else repr(_scrubbed(text))
    return BadSettingError(f"{variable} is {shown}; accepted: {accepted}{place_suffix(place)}")


def _scrubbed(text: str) -> str:
    """Return a text without private data. The scrubber has no settings, because they are invalid here."""
    scrubbed: str = privacy_module("engine").Scrubber().text(text)
    return scrubbed
