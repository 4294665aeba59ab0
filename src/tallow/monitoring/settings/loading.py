"""Find the value of each field of a settings class, and describe invalid ones in one line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from tallow.monitoring.lazy_scrubber import privacy_module
from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.field_variables import (
    SHARED_NAME,
    SettingVariables,
    is_secret,
    variable_names,
    variable_of,
)
from tallow.monitoring.settings.variable_source import FoundValue, VariableSource, place_suffix

_MAX_SHOWN: Final = 80
"""Characters of a bad value in an error."""


class Setting(NamedTuple):
    """A field with its name and its variables."""

    name: str
    field: FieldInfo
    variables: SettingVariables

    def may_be_ignored(self, variable: str) -> bool:
        """Whether a value of ``variable`` may have been meant for another program."""
        return SHARED_NAME in self.field.metadata and variable in self.variables.names


class Values:
    """The values of a source for the fields of a settings class.

    Args:
        settings: the fields to find.
        source: has the values.
        chosen: names of fields that have a value already.
        lenient: whether an unusable value of a variable that other programs use is passed over.

    Attributes:
        ignored: an error line for each variable that was passed over, by the variable's name.

    Raises:
        BadSettingError: a value is not printable, or a file cannot be read.
    """

    def __init__(
        self,
        settings: Mapping[str, Setting],
        source: VariableSource,
        *,
        chosen: Collection[str],
        lenient: bool,
    ) -> None:
        self.ignored: dict[str, str] = {}
        self._settings = settings
        self._lenient = lenient
        self._candidates = {name: _candidates(one.variables, source) for name, one in settings.items()}
        self._found: dict[str, FoundValue] = {}
        for name in settings:
            if name not in chosen:
                self._take_next(name)

    def by_field(self) -> dict[str, str]:
        """Return the values by the name of the field."""
        return {name: found.value for name, found in self._found.items()}

    def reject(self, error: ValidationError) -> None:
        """Pass over the value that an error names.

        Raises:
            BadSettingError: it cannot be passed over.
        """
        problem = error.errors(include_url=False)[0]
        reason = str(problem["msg"]).removeprefix("Value error, ")
        if not problem["loc"]:
            raise BadSettingError(reason)
        place = str(problem["loc"][0])
        setting = next((one for one in self._settings.values() if _names_field(place, one)), None)
        if setting is None:
            raise BadSettingError(f"{place.upper()} is ***; accepted: {reason}")
        found = self._found.get(setting.name)
        line = bad_value(setting, found or FoundValue(str(problem["input"])), reason)
        self._pass_over(setting, found, line)
        self._take_next(setting.name)

    def _take_next(self, name: str) -> None:
        """Use the next value of a field; if there is none, the field has its default."""
        self._found.pop(name, None)
        setting = self._settings[name]
        for found in self._candidates[name]:
            if found.value.isprintable():
                self._found[name] = found
                return
            self._pass_over(setting, found, bad_value(setting, found, "printable text"))

    def _pass_over(self, setting: Setting, found: FoundValue | None, line: str) -> None:
        if found is None or not (self._lenient and setting.may_be_ignored(found.name)):
            raise BadSettingError(line)
        self.ignored.setdefault(found.name, line)


def bad_value(setting: Setting, found: FoundValue, reason: str) -> str:
    """Return the line about an invalid value; a secret is masked."""
    # The password of a URL, or a secret in the wrong variable, must not reach a log.
    text = found.value[:_MAX_SHOWN].encode("utf-8", "backslashreplace").decode()
    shown = "***" if is_secret(setting.field) else repr(_scrubbed(text))
    variable = found.name or variable_of(setting.name, setting.field)
    accepted = setting.field.description or reason
    return f"{variable} is {shown}; accepted: {accepted}{place_suffix(found.place)}"


def _candidates(variables: SettingVariables, source: VariableSource) -> Iterator[FoundValue]:
    """Yield the values of a setting, the one that takes precedence first. Later ones are read on demand."""
    for names, files in (
        (variables.prefixed_names, variables.prefixed_files),
        (variables.names, variables.files),
    ):
        yield from source.find_each(names)
        for file in files:
            found = source.find_in_file(file.removesuffix("_FILE"))
            if found is not None:
                yield found


def _names_field(place: str, setting: Setting) -> bool:
    """Whether pydantic's place of an error is a field: its name or an alias."""
    return place.upper() in {setting.name.upper(), *variable_names(setting.name, setting.field)}


def _scrubbed(text: str) -> str:
    """Return a text without private data. The scrubber has no settings, because they are invalid here."""
    scrubbed: str = privacy_module("engine").Scrubber().text(text)
    return scrubbed
