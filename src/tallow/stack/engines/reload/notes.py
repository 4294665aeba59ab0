"""Notes about variables that are set and have no effect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from tallow.monitoring import variables as library
from tallow.monitoring.settings.base import SettingVariables
from tallow.monitoring.settings.env_file import EnvFile
from tallow.monitoring.settings.process_options import PREFIX
from tallow.monitoring.settings.variable_source import ENV_FILE_VARIABLE, VariableSource
from tallow.monitoring.variables import names
from tallow.stack import variables as stack
from tallow.stack.engines.reload.misspelling import closest_name
from tallow.stack.engines.services.definitions import SERVICES
from tallow.stack.prometheus import METRICS_TOKEN_FILE

_SET_BY_THE_STACK: Final = {
    "TALLOW_DATA_DIR",
    *(name for service in SERVICES for name in service.environment),
} - {ENV_FILE_VARIABLE, f"{METRICS_TOKEN_FILE.upper()}_FILE"}
_FIXED: Final = {
    *_SET_BY_THE_STACK,
    *(f"{PREFIX}{name}" for name in _SET_BY_THE_STACK if not name.startswith(PREFIX)),
}
"""Settings of services that the stack sets itself."""
_DOCUMENTED: Final = frozenset(names((*library.SECTIONS, *stack.SECTIONS)))
"""Documented variables. Those that are no settings are not read from a file."""


def setting_notes(source: VariableSource, settings: Sequence[SettingVariables]) -> tuple[str, ...]:
    """A line for each variable that has no effect.

    Args:
        source: the environment and the ``.env`` file.
        settings: the settings of every part of the stack.
    """
    known = {name for setting in settings for name in setting.all_names}
    file = source.env_file or EnvFile(source.folder / ".env")
    return (
        *_repeated(file, known),
        *_not_read_from_a_file(file, known),
        *_overruled_by_the_environment(file, known, VariableSource(source.environment)),
        *_overruled_by_another_variable(source, settings),
        *_decided_by_the_stack(source),
        *_misspelled(source.environment, known),
    )


def _repeated(file: EnvFile, known: Collection[str]) -> Iterator[str]:
    for name in file.repeated:
        if name.upper() in known:
            yield f"{file.path}: {name} is set more than once; line {file.entries[name].line} counts"


def _not_read_from_a_file(file: EnvFile, known: Collection[str]) -> Iterator[str]:
    for name, entry in file.entries.items():
        if name.upper() in _DOCUMENTED.difference(known):
            yield f"{file.path}, line {entry.line}: {name} has no effect in a file, only in the environment"


def _overruled_by_the_environment(
    file: EnvFile, known: Collection[str], environment: VariableSource
) -> Iterator[str]:
    for name, entry in file.entries.items():
        value = entry.value.strip()
        found = environment.find([name]) if value and name.upper() in known else None
        if found and found.value != value:
            yield f"{file.path}, line {entry.line}: {name} has no effect, since the environment sets it"


def _overruled_by_another_variable(
    source: VariableSource, settings: Iterable[SettingVariables]
) -> Iterator[str]:
    for setting in dict.fromkeys(settings):
        in_effect = [found for group in setting.groups if (found := source.find(group))]
        for other in in_effect[1:]:
            yield f"{other.name} has no effect, since {in_effect[0].name} is set"


def _decided_by_the_stack(source: VariableSource) -> Iterator[str]:
    for name in sorted(_FIXED):
        if source.find([name]):
            yield f"{name} has no effect: the stack sets it"


def _misspelled(environment: Iterable[str], known: Collection[str]) -> Iterator[str]:
    for name in environment:
        if other := closest_name(name, known):
            yield f"{name} in the environment is no setting; did you mean {other}?"
