"""Base class of all settings: typed values from the environment and ``.env``.

The variable of a field is its name in capitals, unless the field has an alias. A secret can be in a file that
``NAME_FILE`` names; ``NAME`` takes precedence. A class with a prefix reads ``PREFIX_NAME`` and
``PREFIX_NAME_FILE`` before both.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError
from pydantic.fields import FieldInfo

from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.field_variables import (
    MASKED,
    SHARED_NAME,
    SettingVariables,
    is_secret,
    setting_variables,
    variable_names,
    variable_of,
)
from tallow.monitoring.settings.loading import Setting, Values
from tallow.monitoring.settings.variable_source import VariableSource

__all__ = [
    "MASKED",
    "SHARED_NAME",
    "BadSettingError",
    "SettingVariables",
    "Settings",
    "is_secret",
    "is_writable_folder",
    "variable_names",
    "variable_of",
]


class Settings(BaseModel):
    """Base class of settings. A field's ``title`` is its purpose, its ``description`` the accepted values.

    :meth:`load` reads the variables; the constructor takes values and reads nothing.

    Attributes:
        prefix: of the variables that are read first; empty for none.
        files_for_all: whether every variable has a ``NAME_FILE``, not only secrets.
        strict_env_file: whether an invalid line of ``.env`` is an error. The library does not require it,
            because an application's own ``.env`` may have another syntax.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    prefix: ClassVar[str] = ""
    files_for_all: ClassVar[bool] = False
    strict_env_file: ClassVar[bool] = False
    _ignored: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls, source: VariableSource | None = None, /, **given: Any) -> Self:
        """Read the settings from a source; any invalid value is an error.

        Args:
            source: by default the process's environment and ``.env``.
            given: values that take precedence; None counts as not given.

        Raises:
            BadSettingError: one line with the variable, its value (masked if secret), what is accepted and
                the file that contains it, if any.

        Example:
            >>> class ShopSettings(Settings):
            ...     shop_port: int = 8000
            >>> ShopSettings.load(VariableSource({"SHOP_PORT": "9000"})).shop_port
            9000
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        return cls._read(source, cls.prefix, chosen, lenient=False)

    @classmethod
    def load_leniently(cls, env_prefix: str) -> Self:
        """Read the settings in a process whose environment also has other programs' variables.

        An unusable value of a variable without prefix that other programs use, such as ``LOG_FORMAT``, is
        passed over, and so is a ``.env`` that cannot be read; :attr:`ignored` has a line for each.

        Args:
            env_prefix: replaces the prefix of the class.

        Raises:
            BadSettingError: another value is invalid, as :meth:`load` describes.
        """
        return cls._read(None, env_prefix, {}, lenient=True)

    @classmethod
    def _read(
        cls, source: VariableSource | None, prefix: str, chosen: dict[str, Any], *, lenient: bool
    ) -> Self:
        source = source or VariableSource.of_process(strict=cls.strict_env_file, lenient=lenient)
        if cls.strict_env_file and source.env_file:
            source.env_file.refuse_problems(cls.variables())
        values = Values(cls._settings(prefix), source, chosen=chosen, lenient=lenient)
        loaded = cls._validated(values, chosen)
        if source.problem is not None:
            loaded._ignored[".env"] = source.problem
        loaded._ignored.update(values.ignored)
        return loaded

    @property
    def ignored(self) -> dict[str, str]:
        """A line about each variable that was passed over, by its name, and about an unreadable ``.env``."""
        return dict(self._ignored)

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """Return all environment variables that are read, with prefix, aliases and ``NAME_FILE``."""
        return tuple(name for setting in cls.setting_variables() for name in setting.all_names)

    @classmethod
    def setting_variables(cls) -> tuple[SettingVariables, ...]:
        """Return the variables of each setting."""
        return tuple(setting.variables for setting in cls._settings(cls.prefix).values())

    @classmethod
    def takes_file(cls, field: FieldInfo) -> bool:
        """Whether the value of a field can be in a file that ``NAME_FILE`` names."""
        return cls.files_for_all or is_secret(field)

    @classmethod
    def _settings(cls, prefix: str) -> dict[str, Setting]:
        """Return the fields with their variables, by name."""
        return {
            name: Setting(name, field, setting_variables(name, field, prefix, cls.takes_file(field)))
            for name, field in cls.model_fields.items()
        }

    @classmethod
    def _validated(cls, values: Values, chosen: dict[str, Any]) -> Self:
        """Create the settings from the first values that are valid."""
        while True:
            try:
                return cls(**values.by_field(), **chosen)
            except ValidationError as error:
                values.reject(error)


def is_writable_folder(folder: Path) -> bool:
    """Whether files can be created in a folder, or in its nearest existing parent if it does not exist."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
