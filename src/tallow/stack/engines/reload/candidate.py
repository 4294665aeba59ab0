"""Read and validate all settings of a stack before any file is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tallow.monitoring.settings.base import SettingVariables
from tallow.monitoring.settings.env_file import EnvFile, read_env_file
from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.variable_source import ENV_FILE_VARIABLE, VariableSource
from tallow.stack.engines import configuration
from tallow.stack.engines.reload.component_check import ComponentCheck, check_components
from tallow.stack.engines.reload.misspelling import closest_name
from tallow.stack.engines.reload.notes import setting_notes
from tallow.stack.engines.reload.program_check import check_configuration
from tallow.stack.engines.reload.snapshot import ENVIRONMENT_FILE, env_text, read_values, stored_environment
from tallow.stack.engines.services.definitions import SETTINGS_FILE
from tallow.stack.engines.stack_settings import CLASSES, StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir


@dataclass(frozen=True, slots=True)
class Candidate:
    """Validated settings, and the files that follow from them.

    Attributes:
        settings: the settings that the stack itself reads.
        values: the variables in effect, by name. Paths of ``NAME_FILE`` are absolute.
        component_settings: the variables that each service reads by itself.
        files: the content of every file that depends on settings.
        obsolete: existing files of settings that are not set.
        notes: hints for the operator, one line each.
    """

    settings: StackSettings
    values: Mapping[str, str]
    component_settings: Mapping[str, tuple[SettingVariables, ...]]
    files: Mapping[Path, str]
    obsolete: tuple[Path, ...]
    notes: tuple[str, ...]

    def changed_variables(self, home: StateDir) -> tuple[str, ...]:
        """The variables whose values differ from those that the running stack uses."""
        before = read_values(home.secrets / SETTINGS_FILE)
        return tuple(
            name for name in sorted({*before, *self.values}) if before.get(name) != self.values.get(name)
        )

    def service_environment(self) -> dict[str, str]:
        """This process's environment without the settings, which services read from a file."""
        settings = [setting for one in self.component_settings.values() for setting in one]
        names = {ENV_FILE_VARIABLE, *_names(settings)}
        return {name: value for name, value in os.environ.items() if name.upper() not in names}


def validate(
    home: StateDir,
    options: StackOptions,
    environment: Mapping[str, str],
    progress: Callable[[str], None],
    *,
    running: bool,
) -> Candidate:
    """Read and check every setting of every part of the stack.

    A running stack keeps the variables of the environment of `up`. Those of ``environment`` are added, and an
    empty one removes a variable. Otherwise a reload from another shell would silently remove receivers.

    Args:
        home: the stack's folder.
        options: the options of `up`.
        environment: the caller's environment.
        progress: called with a line before a program is fetched.
        running: whether the stack runs.

    Raises:
        BadSettingError: a setting is invalid; one line with the file and the variable.
        OSError: a file of the stack cannot be read, or the copy for the check cannot be written.
    """
    merged = {**(stored_environment(home) if running else {}), **environment}
    source = _source(options, merged)
    assert source.env_file is not None
    own = [setting for settings in CLASSES for setting in settings.setting_variables()]
    checks = check_components(home, options, merged)
    component_settings = {name: check.settings for name, check in checks.items()}
    known = [*own, *(setting for settings in component_settings.values() for setting in settings)]
    source.env_file.refuse_problems(_names(known))
    _refuse_misspellings(source.env_file, _names(known))
    settings = StackSettings.load(source)
    _refuse_component_problems(checks)
    values = _in_effect(source, known)
    files = {
        home.secrets / SETTINGS_FILE: env_text(values),
        home.secrets / ENVIRONMENT_FILE: env_text(_settings_in(merged, known)),
    }
    notes = setting_notes(source, known)
    if options.engine == "native":  # the Docker engine renders files for paths inside of containers
        files |= configuration.render(home, options, settings)
        notes = (*notes, *check_configuration(home, options, settings, progress))
    obsolete = tuple(configuration.obsolete_files(home, files))
    return Candidate(settings, values, component_settings, files, obsolete, notes)


def _refuse_component_problems(checks: Mapping[str, ComponentCheck]) -> None:
    if problem := next((check.problem for check in checks.values() if check.problem), ""):
        raise BadSettingError(problem)


def _source(options: StackOptions, environment: dict[str, str]) -> VariableSource:
    """The environment and the operator's ``.env``; relative paths start in the folder in which `up` ran."""
    folder = Path(options.env_folder)
    path = folder / (environment.get(ENV_FILE_VARIABLE) or ".env")
    if environment.get(ENV_FILE_VARIABLE):
        environment[ENV_FILE_VARIABLE] = str(path)
        if not path.exists():
            raise BadSettingError(f"{ENV_FILE_VARIABLE} is {str(path)!r}; accepted: the path of a file")
    return VariableSource(environment, read_env_file(path, environment), folder)


def _names(settings: Iterable[SettingVariables]) -> set[str]:
    return {name for setting in settings for name in setting.all_names}


def _refuse_misspellings(env_file: EnvFile, known: Collection[str]) -> None:
    for name, entry in env_file.entries.items():
        upper = name.upper()
        if upper not in known and upper.endswith("_FILE") and (stem := upper.removesuffix("_FILE")) in known:
            raise BadSettingError(
                f"{env_file.path}, line {entry.line}: {stem} takes no file; set {stem} itself"
            )
        if other := closest_name(name, known):
            raise BadSettingError(
                f"{env_file.path}, line {entry.line}: {name} is no setting; did you mean {other}?"
            )


def _in_effect(source: VariableSource, known: Iterable[SettingVariables]) -> dict[str, str]:
    """The value of each setting that is set, by the documented name of its variable."""
    values = {}
    for setting in known:
        found = setting.find(source)
        if found is None:
            continue
        if setting.is_file(found.name):
            values[setting.files[0]] = str(source.folder.absolute() / found.value)
        else:
            values[setting.names[0]] = found.value
    return values


def _settings_in(environment: Mapping[str, str], known: Iterable[SettingVariables]) -> dict[str, str]:
    """The variables of an environment that are settings."""
    names = {ENV_FILE_VARIABLE, *_names(known)}
    return {name.upper(): value for name, value in environment.items() if name.upper() in names and value}
