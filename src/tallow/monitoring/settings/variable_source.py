"""Find the values of settings in the environment, a ``.env`` file, and files that ``NAME_FILE`` names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from tallow.monitoring.settings.env_file import EnvFile, read_env_file
from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.small_file import UnreadableFileError, read_small_file

ENV_FILE_VARIABLE: Final = "TALLOW_ENV_FILE"
"""The variable with the path of a file to read instead of ``.env`` in the current folder."""

MAX_SECRET_BYTES: Final = 64 * 1024

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class FoundValue:
    """A value and where it was found.

    Attributes:
        value: the value.
        place: ``FILE, line N`` or a file's path; empty for the environment.
        name: the variable, in capitals; of a file that ``NAME_FILE`` names, ``NAME``.
    """

    value: str
    place: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class VariableSource:
    """Finds variables in the environment, then in the ``.env`` file. The case of names is ignored.

    Attributes:
        environment: variables by name.
        env_file: the ``.env`` file, None for none.
        folder: the base of relative paths in ``NAME_FILE``.
        problem: one line about a ``.env`` file that was passed over, None if it was read or does not exist.
    """

    environment: Mapping[str, str]
    env_file: EnvFile | None = None
    folder: Path = field(default_factory=Path)
    problem: str | None = None

    @classmethod
    def of_process(cls, *, strict: bool, lenient: bool = False) -> VariableSource:
        """Return the process's environment and the ``.env`` file of the current folder.

        Args:
            strict: whether a folder named ``.env`` is an error; an application may have a virtual environment
                there.
            lenient: whether a ``.env`` that cannot be read is passed over, because it may be another
                program's. The file that ``TALLOW_ENV_FILE`` names never is.

        Raises:
            BadSettingError: the file cannot be read.
        """
        named = os.environ.get(ENV_FILE_VARIABLE)
        path = Path(named or ".env")
        if named and not os.path.exists(path):  # noqa: PTH110 - Path.exists raises if access is denied
            raise BadSettingError(f"{ENV_FILE_VARIABLE} is {named!r}; accepted: the path of a file")
        if not strict and os.path.isdir(path):  # noqa: PTH112 - Path.is_dir, too
            return cls(os.environ)
        try:
            return cls(os.environ, read_env_file(path, os.environ))
        except BadSettingError as error:
            if strict or named or not lenient:
                raise
            return cls(os.environ, problem=str(error))

    def find(self, names: Iterable[str]) -> FoundValue | None:
        """Return the value of the first name that has one, None if none has.

        An empty variable has no value.
        """
        return next(self.find_each(names), None)

    def find_each(self, names: Iterable[str]) -> Iterator[FoundValue]:
        """Yield the values of all names: those of the environment first, then those of ``.env``."""
        names = [name.upper() for name in names]
        environment = _by_upper_name(self.environment)
        for name in names:
            if value := environment.get(name, "").strip():
                yield FoundValue(value, name=name)
        if self.env_file is None:
            return
        entries = _by_upper_name(self.env_file.entries)
        for name in names:
            if name in entries and (value := entries[name].value.strip()):
                yield FoundValue(value, f"{self.env_file.path}, line {entries[name].line}", name)

    def find_in_file(self, name: str) -> FoundValue | None:
        """Return the content of the file that ``NAME_FILE`` names, without white space around it.

        Raises:
            BadSettingError: the file does not exist, cannot be read, or is empty.
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
        return FoundValue(text, f"{variable} {path}", name.upper())


def place_suffix(place: str) -> str:
    """Return a value's place, to be appended to a message."""
    return f" ({place})" if place else ""


def _by_upper_name(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values by name in capitals; a name in capitals takes precedence over other spellings."""
    return {
        **{name.upper(): value for name, value in values.items()},
        **{name: value for name, value in values.items() if name.isupper()},
    }


def _bad_file(variable: str, found: FoundValue, path: Path, reason: str) -> BadSettingError:
    # If an operator mistakes NAME_FILE for NAME, the value is the secret itself.
    shown = repr(str(path)) if _is_path(found.value, path) else "***"
    return BadSettingError(
        f"{variable} is {shown}; accepted: a file of 1 byte to 64 KiB: {reason}{place_suffix(found.place)}"
    )


def _is_path(value: str, path: Path) -> bool:
    try:
        return value.startswith("/") or path.exists() or (os.sep in value and path.parent.is_dir())
    except (OSError, ValueError):
        return False
