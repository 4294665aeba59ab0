"""The stack's state folder: options, secrets, configuration, data and logs, readable by its owner alone."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

from tallow.monitoring.lifecycle.private_files import private_folder, write_private
from tallow.stack.engines.state.marker import (
    FOLDERS,
    IGNORE_FILE,
    IGNORE_TEXT,
    MARKER,
    MARKER_TEXT,
    OPTIONS_FILE,
    FolderKind,
    folder_kind,
    foreign_entry,
)

LIVENESS_TIMEOUT_S: Final = 120.0
"""A service that has not answered for so long is restarted."""


class StateDirError(Exception):
    """The folder cannot be used: one line that says why."""


class NoStackError(StateDirError):
    """No stack was ever started in the folder."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What `up` was told, so that other verbs and later runs know it."""

    port_offset: int = 0
    env_folder: str = "."
    """Where ``.env`` is looked for: the folder in which `up` ran."""
    scale: float = 1.0
    """Multiplies every time of rules, scrapes and routes: less than 1 in drills."""
    liveness_timeout: float = LIVENESS_TIMEOUT_S
    """Seconds without an answer after which the supervisor restarts a service; 0: never."""


@dataclass(frozen=True, slots=True)
class StateDir:
    """Paths below the stack's folder."""

    root: Path

    @classmethod
    def at(cls, named: Path | None = None) -> Self:
        """The folder ``named``, else ``TALLOW_HOME``, else ``tallow`` in the user's state folder (XDG)."""
        if named is None and (variable := os.environ.get("TALLOW_HOME")):
            named = Path(variable)
        if named is None:
            state = os.environ.get("XDG_STATE_HOME", "")
            # The specification: a path that is not absolute is ignored.
            named = Path(state if state.startswith("/") else "~/.local/state") / "tallow"
        try:
            return cls(named.expanduser().absolute())
        except RuntimeError:  # neither HOME nor the system's list of users says it
            raise StateDirError("this user has no home folder; name the stack's folder with --home") from None

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def options_file(self) -> Path:
        return self.root / OPTIONS_FILE

    def exists(self) -> bool:
        """Whether `up` has ever run here."""
        return self.options_file.exists()

    def is_state_folder(self) -> bool:
        """Whether `up` made or accepted this folder, even if it did not come to its end."""
        try:
            return folder_kind(self.root) is FolderKind.STATE
        except OSError:
            return False

    def make(self) -> None:
        """Make the folder, or accept one that is empty or a stack's already; mode 0700.

        Raises:
            HomeError: it holds files of somebody else, is another user's, or cannot be written to. Then
                nothing in it was changed.
        """
        try:
            self._accept()
            self._make_folders()
        except OSError as error:
            raise StateDirError(
                f"the stack's folder {self.root} cannot be made: {error.strerror}; name another with --home"
            ) from None

    def _accept(self) -> None:
        """See that the folder may become the stack's, and mark it before anything else is put into it."""
        kind = folder_kind(self.root)
        if kind is not FolderKind.MISSING and (owner := self.root.stat().st_uid) != os.getuid():
            raise StateDirError(
                f"{self.root} belongs to another user (uid {owner}); name another with --home"
            )
        if kind is not FolderKind.STATE and is_protected(self.root):
            raise StateDirError(
                f"{self.root} cannot be a stack's own folder; name a folder inside it with --home"
            )
        if kind is FolderKind.FOREIGN:
            raise StateDirError(
                f"{self.root} holds files that no Tallow stack made, such as {foreign_entry(self.root)!r}; "
                "name a folder that is new or empty with --home"
            )
        self.root.parent.mkdir(parents=True, exist_ok=True)
        write_private(self.root / MARKER, MARKER_TEXT)
        if not (self.root / IGNORE_FILE).exists():
            write_private(self.root / IGNORE_FILE, IGNORE_TEXT)

    def _make_folders(self) -> None:
        for folder in (self.root, *(self.root / name for name in FOLDERS)):
            private_folder(folder)
        self.root.chmod(0o700)

    def options(self) -> StackOptions:
        """What `up` was told last. What another version added to it is left out.

        Raises:
            HomeError: the file cannot be read.
        """
        try:
            found = json.loads(self.options_file.read_text(encoding="utf-8"))
            known = {one.name for one in fields(StackOptions)}
            return StackOptions(**{name: value for name, value in found.items() if name in known})
        except FileNotFoundError:
            return StackOptions()
        except (OSError, ValueError, AttributeError) as error:
            raise StateDirError(
                f"{self.options_file} cannot be read ({error}); remove it and run: tallow up"
            ) from None

    def write_options(self, choices: StackOptions) -> None:
        """Keep what `up` was told."""
        write_private(self.options_file, json.dumps(asdict(choices), indent=2) + "\n")


def is_protected(folder: Path) -> bool:
    """Whether a folder is never the stack's own: the root of the file system, or the user's home folder."""
    return folder.resolve() in {Path("/"), Path(os.path.expanduser("~")).resolve()}  # noqa: PTH111 - never raises


def read_json(path: Path) -> Any:
    """A JSON file's content, None where it is missing or half written."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
