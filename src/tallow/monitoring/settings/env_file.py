"""Read a ``.env`` file: the value and line of each variable, and the invalid lines.

The syntax is python-dotenv's: ``NAME=value``, optional ``export``, quotes, comments, ``${NAME}`` and
``${NAME:-default}``. As in a shell, nothing is replaced within single quotes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dotenv.parser import Binding, parse_stream
from dotenv.variables import Variable, parse_variables

from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.small_file import UnreadableFileError, read_small_file

MAX_BYTES: Final = 1024 * 1024
_FIRST_WORD: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)")
_NEWLINE: Final = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable's value and its line number."""

    value: str
    line: int


@dataclass(frozen=True, slots=True)
class LineProblem:
    """An invalid line.

    Attributes:
        line: its number, from 1.
        word: its first word. It may be a secret: do not show it unless it is the name of a setting.
        reason: what is wrong.
        of_variable: whether only this variable is affected, which may be another program's.
    """

    line: int
    word: str
    reason: str
    of_variable: bool = False


@dataclass(frozen=True, slots=True)
class EnvFile:
    """The content of a ``.env`` file.

    Attributes:
        path: the file, absolute.
        entries: by name, as in the file. If a variable is set twice, the last line counts.
        repeated: names that are set more than once to different values.
        problems: invalid lines.
    """

    path: Path
    entries: Mapping[str, Entry] = field(default_factory=dict)
    repeated: tuple[str, ...] = ()
    problems: tuple[LineProblem, ...] = ()

    def refuse_problems(self, known: Iterable[str]) -> None:
        """Raise an error for the first invalid line.

        Args:
            known: names of settings; other names are not shown.

        Raises:
            BadSettingError: one line with the file, the line number and the reason.
        """
        names = set(known)
        for problem in self.problems:
            name = problem.word.upper()
            if name in names:
                raise BadSettingError(f"{self.path}, line {problem.line}, {name}: {problem.reason}")
            if not problem.of_variable:
                raise BadSettingError(f"{self.path}, line {problem.line}: {problem.reason}")


def read_env_file(path: Path, environment: Mapping[str, str]) -> EnvFile:
    """Read a file; a missing file is empty.

    Args:
        path: the file.
        environment: has the values of ``${NAME}`` that no earlier line of the file sets.

    Raises:
        BadSettingError: the file cannot be read; one line with its path and the reason.
    """
    path = _absolute(path)
    try:
        text = read_small_file(path, MAX_BYTES)
    except FileNotFoundError:
        return EnvFile(path)
    except UnreadableFileError as error:
        shown = str(path) if str(path).isprintable() else repr(str(path))
        raise BadSettingError(f"{shown} cannot be read: {error}") from None
    return _parse(path, text, environment)


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError:  # the current folder has been deleted
        return path


def quoted(value: str) -> str:
    """Quote a value so that :func:`read_env_file` returns it unchanged.

    Example:
        >>> quoted("it's")
        "'it\\\\'s'"
    """
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _parse(path: Path, text: str, environment: Mapping[str, str]) -> EnvFile:
    entries: dict[str, Entry] = {}
    repeated: dict[str, None] = {}
    problems: list[LineProblem] = []
    for binding in parse_stream(io.StringIO(text, newline="")):
        line = _line(binding)
        if binding.key is None and not binding.error:
            continue
        if binding.key is None or binding.value is None:
            problems.append(LineProblem(line, _word(binding), "it does not have the form NAME=value"))
            continue
        value, unset = _expand(binding, environment, entries)
        if unset:
            reason = "it refers to a ${NAME} that is not set"
            problems.append(LineProblem(line, binding.key, reason, of_variable=True))
        if binding.key in entries and entries[binding.key].value != value:
            repeated[binding.key] = None
        entries[binding.key] = Entry(value, line)
    return EnvFile(path, entries, tuple(repeated), tuple(problems))


def _expand(
    binding: Binding, environment: Mapping[str, str], entries: Mapping[str, Entry]
) -> tuple[str, bool]:
    """Return the value with each ``${NAME}`` replaced, and whether one is not set (its value is empty
    then)."""
    value = binding.value or ""
    if binding.original.string.partition("=")[2].lstrip().startswith("'"):
        return value, False
    known = {**environment, **{name: entry.value for name, entry in entries.items()}}
    atoms = list(parse_variables(value))
    unset = any(
        isinstance(atom, Variable) and atom.default is None and atom.name not in known for atom in atoms
    )
    return "".join(atom.resolve(known) for atom in atoms), unset


def _line(binding: Binding) -> int:
    """Return the line number of the name: python-dotenv counts from the blank lines before it."""
    text = binding.original.string
    blank = text[: len(text) - len(text.lstrip())]
    return binding.original.line + len(_NEWLINE.findall(blank))


def _word(binding: Binding) -> str:
    found = _FIRST_WORD.match(binding.original.string)
    return found[1] if found else ""
