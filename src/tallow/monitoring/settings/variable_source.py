"""Look settings up in the environment, in a ``.env`` file and in files that ``NAME_FILE`` names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from tallow.monitoring.settings.env_file import EnvFile, read_env_file
from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.small_file import UnreadableFileError, read_small_file

ENV_FILE_VARIABLE: Final = "TALLOW_ENV_FILE"
"""Names another file than ``.env`` in the current folder."""

MAX_SECRET_BYTES: Final = 64 * 1024

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Found:
    """A value, and where it stands: ``FILE, line N`` or a file's path; empty for the environment."""

    value: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class VariableSource:
    """Looks variables up: the environment first, then the ``.env`` file. Names are matched in any case.

    Attributes:
        environment: variables by name.
        env_file: the ``.env`` file, None for none.
        folder: where relative paths of ``NAME_FILE`` begin.
    """

    environment: Mapping[str, str]
    env_file: EnvFile | None = None
    folder: Path = field(default_factory=Path)

    @classmethod
    def of_process(cls, *, strict: bool) -> VariableSource:
        """The process's environment and the ``.env`` file of the current folder.

        Args:
            strict: whether a folder named ``.env`` is an error; an application may keep a virtual environment
                there.

        Raises:
            BadSettingError: the file cannot be read.
        """
        named = os.environ.get(ENV_FILE_VARIABLE)
        path = Path(named or ".env")
        if named and not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a folder without access
            raise BadSettingError(f"{ENV_FILE_VARIABLE} is {named!r}; accepted: the path of a file")
        if not strict and path.is_dir():
            return cls(os.environ)
        return cls(os.environ, read_env_file(path, os.environ))

    def find(self, names: Iterable[str]) -> Found | None:
        """The first of the names that has a value; an empty variable has none."""
        names = [name.upper() for name in names]
        environment = _by_upper_name(self.environment)
        for name in names:
            if value := environment.get(name, "").strip():
                return Found(value)
        if self.env_file is None:
            return None
        entries = _by_upper_name(self.env_file.entries)
        for name in names:
            if name in entries and (value := entries[name].value.strip()):
                return Found(value, f"{self.env_file.path}, line {entries[name].line}")
        return None

    def find_in_file(self, name: str) -> Found | None:
        """The content of the file that ``NAME_FILE`` names, without white space around it.

        Raises:
            BadSettingError: there is no such file, it cannot be read, or it is empty.
        """
        variable = f"{name.upper()}_FILE"
        found = self.find([variable])
        if found is None:
            return None
        path = self.folder / found.value
        try:
            text = read_small_file(path, MAX_SECRET_BYTES).strip()
        except FileNotFoundError:
            raise _bad_file(variable, found, path, "it does not exist") from None
        except UnreadableFileError as error:
            raise _bad_file(variable, found, path, str(error)) from None
        if not text:
            raise _bad_file(variable, found, path, "it is empty")
        return Found(text, f"{variable} {path}")


def place_suffix(place: str) -> str:
    """Where a value stands, to be appended to a message."""
    return f" ({place})" if place else ""


def _by_upper_name(values: Mapping[str, Value]) -> dict[str, Value]:
    """Values by name in capitals; a name that is written in capitals wins over another spelling."""
    return {
        **{name.upper(): value for name, value in values.items()},
        **{name: value for name, value in values.items() if name.isupper()},
    }


def _bad_file(variable: str, found: Found, path: Path, reason: str) -> BadSettingError:
    # Whoever mistakes NAME_FILE for NAME puts the secret itself there.
    shown = repr(str(path)) if _is_path(found.value, path) else "***"
    return BadSettingError(
        f"{variable} is {shown}; accepted: a file of 1 byte to 64 KiB: {reason}{place_suffix(found.place)}"
    )


def _is_path(value: str, path: Path) -> bool:
    try:
        return value.startswith("/") or path.exists() or (os.sep in value and path.parent.is_dir())
    except (OSError, ValueError):
        return False
