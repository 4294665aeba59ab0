"""What is sent: files, empty and other folders, and links inside folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from tallow.app.files.attributes import Attributes
from tallow.app.files.errors import FileError, file_error, printable
from tallow.app.files.links import inner_target
from tallow.app.files.names import nesting_problem, numbered_path, safe_path
from tallow.app.files.source_file import SourceFile, source_file, special_kind

MAX_LISTED: Final = 5
"""Lines of one kind that are shown; further ones are counted."""

Report = Callable[[str], None]
"""Gets one line for the user."""
Exclude = Callable[[Path, str, bool], bool]
"""Whether a path is left out: the path, its path below the given folder, and whether it is a folder."""


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A folder to send: its relative name with ``/``, and its attributes."""

    name: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class SourceLink:
    """A symbolic link to send: its relative name, and its text."""

    name: str
    target: str


@dataclass(frozen=True)
class SourceTree:
    """Everything that given paths stand for, in a fixed order."""

    files: Sequence[SourceFile]
    folders: Sequence[SourceFolder] = ()
    links: Sequence[SourceLink] = ()


@dataclass(frozen=True)
class CollectOptions:
    """What is collected.

    Attributes:
        links: send symbolic links inside folders as links, instead of leaving them out.
        skip_unreadable: leave out what cannot be sent, instead of refusing.
        exclude: leaves out paths below the given folders.
    """

    links: bool = False
    skip_unreadable: bool = False
    exclude: Exclude = field(default=lambda _path, _relative, _is_folder: False)


def collect(
    paths: Sequence[Path | str],
    options: CollectOptions | None = None,
    report: Report = lambda _line: None,
) -> SourceTree:
    """Find what ``paths`` stand for. A folder stands for all that is below it. Blocks.

    A symbolic link in ``paths`` is followed. Inside a folder, links are left out or, with ``links``, sent as
    links if they lead to something inside the folder. Sockets, pipes and devices are left out. Everything
    that is left out, and every name that the receiver must change, is reported.

    Raises:
        FileError: a path is missing or neither file nor folder, or something below a folder cannot be read or
            is nested too deep.
    """
    return _Collector(options or CollectOptions(), report).collect(paths)


class _Collector:
    def __init__(self, options: CollectOptions, report: Report) -> None:
        self._options = options
        self._report = report
        self._files: list[SourceFile] = []
        self._folders: list[SourceFolder] = []
        self._links: list[SourceLink] = []
        self._numbers: dict[str, int] = {}
        self._taken: set[str] = set()
        self._problems: list[str] = []
        self._renamed: list[str] = []

    def collect(self, paths: Sequence[Path | str]) -> SourceTree:
        for given in paths:
            path = Path(given)
            if path.is_dir():
                top = _decoded_name(path.resolve().name) or "files"
                self._add_folder(path, self._unique(top), "")
            else:
                self._files.append(source_file(path, self._unique(_decoded_name(path.name))))
                self._note_renamed(self._files[-1].name)
        self._report_problems()
        if not self._files and not self._folders:
            raise FileError("nothing is left to send")
        return SourceTree(self._files, self._folders, self._links)

    def _add_folder(self, path: Path, name: str, relative: str) -> None:
        """Add a folder and what is below it.

        Args:
            relative: its path below the given folder, for ``exclude``.
        """
        try:
            self._folders.append(SourceFolder(name, Attributes.of(path.stat())))
            self._note_renamed(name)
            for entry in _entries(path):
                inside = f"{relative}{entry.name}"
                inner = path / entry.name
                if not self._options.exclude(inner, inside, entry.is_dir(follow_symlinks=False)):
                    self._add_entry(inner, entry, name, inside)
        except OSError as error:
            self._problems.append(str(file_error("read", str(path), error)))

    def _add_entry(self, path: Path, entry: os.DirEntry[str], folder: str, relative: str) -> None:
        name = f"{folder}/{_decoded_name(entry.name)}"
        too_deep = nesting_problem(name)
        if too_deep is not None:
            self._problems.append(f"cannot send {printable(str(path))}: {too_deep}")
        elif entry.is_dir(follow_symlinks=False):
            self._add_folder(path, name, f"{relative}/")
        elif entry.is_file(follow_symlinks=False):
            self._add_file(path, self._unique(name))
        elif entry.is_symlink() and self._options.links:
            self._add_link(path, name)
        else:
            kind = special_kind(entry.stat(follow_symlinks=False)) or "no file"
            hint = "; --links sends it" if entry.is_symlink() else ""
            self._report(f"{printable(str(path))} is {kind}; left out{hint}")

    def _add_file(self, path: Path, name: str) -> None:
        try:
            self._files.append(source_file(path, name))
        except FileError as error:
            self._problems.append(str(error))
        else:
            self._note_renamed(name)

    def _add_link(self, path: Path, name: str) -> None:
        target = _decoded_name(str(path.readlink()))
        if inner_target(name, target) is None:
            self._report(f"{printable(str(path))} is a symbolic link that leads out of its folder; left out")
        else:
            self._links.append(SourceLink(name, target))
            self._note_renamed(name)

    def _unique(self, name: str) -> str:
        """The name, with a number if another one has it."""
        unique = name
        while unique in self._taken:
            self._numbers[name] = number = self._numbers.get(name, 1) + 1
            unique = str(numbered_path(PurePosixPath(name), number))
        self._taken.add(unique)
        return unique

    def _note_renamed(self, name: str) -> None:
        arrives_as = str(safe_path(name))
        if arrives_as != name:
            self._renamed.append(f"{printable(name)} arrives as {printable(arrives_as)}")

    def _report_problems(self) -> None:
        if self._problems and not self._options.skip_unreadable:
            more = len(self._problems) - 1
            rest = f", and {more} more cannot be sent" if more else ""
            raise FileError(f"{self._problems[0]}{rest}; --skip-unreadable sends the rest")
        for lines, what in ((self._problems, "left out"), (self._renamed, "renamed")):
            for line in lines[:MAX_LISTED]:
                self._report(f"{line}; left out" if lines is self._problems else line)
            if len(lines) > MAX_LISTED:
                self._report(f"{len(lines) - MAX_LISTED} more are {what}")


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from sorted(entries, key=lambda entry: entry.name)


def _decoded_name(name: str) -> str:
    """A name as UTF-8 text; invalid bytes are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")
