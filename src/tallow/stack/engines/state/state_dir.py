"""The state folder of a stack: options, secrets, configuration, data and logs, readable by its owner only."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, Self

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

EngineName = Literal["native", "docker"]
LIVENESS_TIMEOUT_S: Final = 120.0
"""Seconds without an answer after which a service is restarted."""


class StateDirError(Exception):
    """The folder cannot be used. The text is one line with the reason."""


class NoStackError(StateDirError):
    """No stack was started in the folder yet."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """The options of `up`, kept for later commands. Versions share the file: names of fields do not change.

    Attributes:
        port_offset: added to every port.
        env_folder: the folder with the operator's ``.env``: the one in which `up` ran.
        scale: multiplies every time of rules, scrapes and routes; below 1 in drills.
        liveness_timeout: seconds without an answer after which the supervisor restarts a service; 0: never.
        engine: ``native`` or ``docker``.
        profiles: of the Compose file, with the Docker engine.
    """

    port_offset: int = 0
    env_folder: str = "."
    scale: float = 1.0
    liveness_timeout: float = LIVENESS_TIMEOUT_S
    engine: EngineName = "native"
    profiles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StateDir:
    """A state folder and the paths in it."""

    root: Path

    @classmethod
    def at(cls, named: Path | None = None) -> Self:
        """The folder ``named``, else ``TALLOW_HOME``, else ``tallow`` in the user's state folder (XDG).

        Raises:
            StateDirError: the user has no home folder, and no other folder is named.
        """
        if named is None and (variable := os.environ.get("TALLOW_HOME")):
            named = Path(variable)
        if named is None:
            state = os.environ.get("XDG_STATE_HOME", "")
            # XDG Base Directory Specification: a relative path is ignored.
            named = Path(state if state.startswith("/") else "~/.local/state") / "tallow"
        try:
            return cls(named.expanduser().absolute())
        except RuntimeError:  # neither HOME nor the password database names it
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
        """Whether a stack was started here."""
        return self.options_file.exists()

    def make(self) -> None:
        """Make the folder, or accept one that is empty or already a state folder. Its mode becomes 0700.

        Raises:
            StateDirError: it has other files, belongs to another user, or cannot be written to. Nothing in
                it was changed.
        """
        try:
            self._accept()
            self._make_folders()
        except OSError as error:
            raise StateDirError(
                f"the stack's folder {self.root} cannot be made: {error.strerror}; name another with --home"
            ) from None

    def _accept(self) -> None:
        """Check that the folder may become a state folder, and write the marker first."""
        kind = folder_kind(self.root)
        if kind is not FolderKind.MISSING and (owner := _foreign_owner(self.root)) is not None:
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
        """The options of the last `up`; the defaults if there was none. Unknown fields are ignored.

        Raises:
            StateDirError: the file cannot be read.
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

    def write_options(self, options: StackOptions) -> None:
        """Store the options of `up`."""
        write_private(self.options_file, json.dumps(asdict(options), indent=2) + "\n")


def _foreign_owner(folder: Path) -> int | None:
    """The user id of a folder's owner if that is another user; None on Windows, which has no user ids."""
    owner = folder.stat().st_uid
    return owner if hasattr(os, "getuid") and owner != os.getuid() else None


def is_protected(folder: Path) -> bool:
    """Whether a folder must not become a state folder: the file system's root and the user's home folder."""
    return folder.resolve() in {Path("/"), Path(os.path.expanduser("~")).resolve()}  # noqa: PTH111 - never raises


def read_json(path: Path) -> Any:
    """The content of a JSON file; None if it is missing or incomplete."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
