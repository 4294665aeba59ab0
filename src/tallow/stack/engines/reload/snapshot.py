"""The settings that a running stack uses, stored in files.

A changed ``.env`` has no effect before ``tallow reload`` has checked it, also not when a service is restarted
after a failure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.monitoring.settings.base import SettingVariables
from tallow.monitoring.settings.env_file import quoted, read_env_file
from tallow.monitoring.settings.small_file import UnreadableFileError, read_small_file
from tallow.monitoring.settings.variable_source import MAX_SECRET_BYTES, VariableSource
from tallow.stack.engines import configuration
from tallow.stack.engines.services.definitions import SERVICES, SETTINGS_FILE
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StateDir, read_json

ENVIRONMENT_FILE: Final = "environment.env"
"""In ``secrets``: the settings from the environment."""
APPLIED_FILE: Final = "applied_settings.json"
"""In ``run``: digests of what each service was started with."""


def running_settings(home: StateDir) -> StackSettings:
    """The settings that the running stack uses.

    Raises:
        BadSettingError: a file that a setting names can no longer be read.
    """
    path = home.secrets / SETTINGS_FILE
    if not path.exists():  # started by an earlier version
        return configuration.load_settings(Path(home.options().env_folder))
    return StackSettings.load(VariableSource({}, read_env_file(path, {})))


def read_values(path: Path) -> dict[str, str]:
    """The variables of a file that :func:`env_text` wrote; none if it is missing."""
    return {name: entry.value for name, entry in read_env_file(path, {}).entries.items()}


def env_text(values: Mapping[str, str]) -> str:
    """Variables in the format of ``.env``."""
    return "".join(f"{name}={quoted(value)}\n" for name, value in sorted(values.items()))


def stored_environment(home: StateDir) -> dict[str, str]:
    """The settings from the environments of `up` and of later `reload` commands."""
    return read_values(home.secrets / ENVIRONMENT_FILE)


@dataclass(frozen=True, slots=True)
class ServiceDigests:
    """Digests of the settings and credentials that services were started with, by service."""

    settings: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)

    def changed_services(self, other: ServiceDigests) -> set[str]:
        """The services that ``other`` would start differently."""
        return {
            name
            for ours, theirs in ((self.settings, other.settings), (self.credentials, other.credentials))
            for name, digest in theirs.items()
            if ours.get(name) != digest
        }


def target_digests(
    home: StateDir, settings: Mapping[str, Iterable[SettingVariables]], values: Mapping[str, str]
) -> ServiceDigests:
    """Digests of the present settings and credentials that services read at their start only.

    Args:
        settings: the settings that each service reads.
        values: the settings in effect.
    """
    found = {
        name: _digest([_read(setting, values) for setting in groups]) for name, groups in settings.items()
    }
    return ServiceDigests(found, credential_digests(home))


def credential_digests(home: StateDir) -> dict[str, str]:
    """Digests of the credentials that services read at their start only."""
    return {
        service.name: _digest([_content(home.secrets / file) for file in service.credentials])
        for service in SERVICES
        if service.credentials
    }


def read_digests(home: StateDir) -> ServiceDigests:
    """The stored digests; empty if they are missing."""
    found = read_json(home.run / APPLIED_FILE)
    try:
        return ServiceDigests(dict(found["settings"]), dict(found["credentials"]))
    except (TypeError, KeyError, ValueError):
        return ServiceDigests()


def write_digests(home: StateDir, applied: ServiceDigests) -> None:
    """Store the digests of what services were started with."""
    write_private(home.run / APPLIED_FILE, json.dumps(asdict(applied), indent=1))


def _read(setting: SettingVariables, values: Mapping[str, str]) -> tuple[str, str] | None:
    """The value of a setting as a service gets it; None if it is not set."""
    for name in setting.names:
        if name in values:
            return setting.names[0], values[name]
    for name in setting.files:
        if name in values:
            return setting.names[0], _content(Path(values[name]))
    return None


def _content(path: Path) -> str:
    try:
        return read_small_file(path, MAX_SECRET_BYTES)
    except (FileNotFoundError, UnreadableFileError):
        return ""


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
