"""The environment variables of a setting, derived from the field of its class."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, get_args

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from tallow.monitoring.settings.process_options import PREFIX
from tallow.monitoring.settings.variable_source import FoundValue, VariableSource

MASKED: Final = "masked"
"""Annotates a field that is not a ``SecretStr`` and may contain a password, such as a URL."""

SHARED_NAME: Final = "shared name"
"""Annotates a field whose variable without prefix is often set for other programs.

Only a field that changes the form of the output may have it: not a secret, not a destination, not a rule of
the scrubber.
"""


class SettingVariables(NamedTuple):
    """The variables of one setting. The first that has a value is used.

    Attributes:
        names: variables with the value itself, the documented one first.
        files: variables that name a file with the value, read after all ``names``.
        prefixed_names: variables with the library's prefix, read before ``names``.
        prefixed_files: variables with the prefix that name a file, read before ``names``.
    """

    names: tuple[str, ...]
    files: tuple[str, ...] = ()
    prefixed_names: tuple[str, ...] = ()
    prefixed_files: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The variables in groups: those of a group have no effect if one of an earlier group is set."""
        return self.prefixed_names, self.prefixed_files, self.names, self.files

    @property
    def all_names(self) -> tuple[str, ...]:
        """All variables, in the order in which they are read."""
        return tuple(name for group in self.groups for name in group)

    def find(self, source: VariableSource) -> FoundValue | None:
        """Return the value of the variable that is used; of a ``NAME_FILE`` the path. None if none is set."""
        return next((found for group in self.groups if (found := source.find(group))), None)

    def is_file(self, name: str) -> bool:
        """Whether a variable names a file with the value."""
        return name in self.files or name in self.prefixed_files


def setting_variables(name: str, field: FieldInfo, prefix: str, takes_file: bool) -> SettingVariables:
    """Return the variables of a field.

    Args:
        name: of the field.
        field: its definition.
        prefix: of the variables that are read first; empty for none.
        takes_file: whether ``NAME_FILE`` is read.
    """
    names = tuple(variable_names(name, field))
    # A documented name that has the library's prefix already gets no second one.
    prefixed = tuple(f"{prefix}{one.removeprefix(PREFIX)}" for one in names) if prefix else ()
    if prefixed == names:
        prefixed = ()
    if not takes_file:
        return SettingVariables(names, (), prefixed)
    return SettingVariables(names, _files(names), prefixed, _files(prefixed))


def is_secret(field: FieldInfo) -> bool:
    """Whether a field's value must never be shown."""
    return MASKED in field.metadata or _mentions(field.annotation, SecretStr)


def variable_of(name: str, field: FieldInfo) -> str:
    """Return the documented environment variable of a field."""
    return variable_names(name, field)[0]


def variable_names(name: str, field: FieldInfo) -> list[str]:
    """Return the variables that set a field, without prefix: the documented one first, then its aliases."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice).upper() for choice in alias.choices]
    return [(alias if isinstance(alias, str) else name).upper()]


def _files(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}_FILE" for name in names)


def _mentions(annotation: Any, kind: type) -> bool:
    return annotation is kind or any(_mentions(part, kind) for part in get_args(annotation))
