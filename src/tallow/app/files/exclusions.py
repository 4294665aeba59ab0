"""Which paths below a folder are left out: patterns as in .gitignore."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tallow.app.files.errors import FileError, file_error

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_IGNORE_FILE: Final = 1 << 20
GIT_FOLDER: Final = ".git"
IGNORE_FILE: Final = ".gitignore"


class Exclusions:
    """Decides which paths below the given folders are left out.

    Args:
        patterns: as in .gitignore, relative to the given folder.
        git: leave out what the .gitignore files in the folder name, and ``.git``.

    Raises:
        FileError: a pattern is not valid.

    Example:
        >>> exclusions = Exclusions(["*.log", "build/", "!keep.log"])
        >>> exclusions(Path("/p/a.log"), "a.log", False), exclusions(Path("/p/keep.log"), "keep.log", False)
        (True, False)
    """

    def __init__(self, patterns: Sequence[str] = (), *, git: bool = False) -> None:
        self._spec = _spec(patterns, "--exclude") if patterns else None
        self._git = git
        self._specs: dict[Path, GitIgnoreSpec | None] = {}

    def __call__(self, path: Path, relative: str, is_folder: bool) -> bool:
        """Whether a path is left out.

        Args:
            path: the path on this machine.
            relative: its path below the given folder, with ``/``.
        """
        marked = f"{relative}/" if is_folder else relative
        if self._spec is not None and self._spec.match_file(marked):
            return True
        return self._git and self._is_ignored(path, relative, is_folder)

    def _is_ignored(self, path: Path, relative: str, is_folder: bool) -> bool:
        if is_folder and path.name == GIT_FOLDER:
            return True
        ignored = False
        parts = relative.split("/")
        for depth in range(len(parts)):  # the rules of an inner folder come last and win
            spec = self._rules(path.parents[len(parts) - 1 - depth])
            if spec is not None:
                found = spec.check_file("/".join(parts[depth:]) + ("/" if is_folder else "")).include
                ignored = ignored if found is None else found
        return ignored

    def _rules(self, folder: Path) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            self._specs[folder] = _read(folder / IGNORE_FILE)
        return self._specs[folder]


def _read(file: Path) -> GitIgnoreSpec | None:
    with suppress(FileNotFoundError):
        try:
            with file.open("rb") as opened:
                text = opened.read(MAX_IGNORE_FILE).decode("utf-8", "replace")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise file_error("read", str(file), error) from None
        return _spec(text.splitlines(), str(file))
    return None


def _spec(patterns: Sequence[str], source: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # most transfers leave nothing out

    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError:
        raise FileError(f"a pattern of {source} is not valid; accepted: patterns as in .gitignore") from None
