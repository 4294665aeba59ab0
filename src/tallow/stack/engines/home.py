"""The stack's folder: settings, secrets, configuration, data and logs, readable by its owner alone."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

FOLDERS = ("secrets", "config", "data", "logs", "run")


class HomeError(Exception):
    """The folder cannot be used: one line that says why."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What `up` was told, so that other verbs and later runs know it."""

    port_offset: int = 0
    env_folder: str = "."
    """Where ``.env`` is looked for: the folder in which `up` ran."""
    scale: float = 1.0
    """Multiplies every time of rules, scrapes and routes: less than 1 in drills."""


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below the stack's folder."""

    root: Path

    @classmethod
    def at(cls, named: Path | None = None) -> Self:
        """The folder ``named``, else ``TALLOW_HOME``, else ``tallow`` among the user's state (XDG)."""
        if named is None and (variable := os.environ.get("TALLOW_HOME")):
            named = Path(variable)
        if named is None:
            state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
            named = Path(state) / "tallow"
        return cls(named.absolute())

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
    def choices_file(self) -> Path:
        return self.root / "stack.json"

    def exists(self) -> bool:
        """Whether `up` has ever run here."""
        return self.choices_file.exists()

    def make(self) -> None:
        """Make the folders, mode 0700.

        Raises:
            HomeError: it is somebody else's, or cannot be written to.
        """
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self.root, *(self.root / name for name in FOLDERS)):
                private_folder(folder)
            owner = self.root.stat().st_uid
            if owner != os.getuid():
                raise HomeError(
                    f"{self.root} belongs to another user (uid {owner}); name another with --home"
                )
            self.root.chmod(0o700)
        except OSError as error:
            raise HomeError(
                f"the stack's folder {self.root} cannot be made: {error.strerror}; name another with --home"
            ) from None

    def choices(self) -> Choices:
        """What `up` was told last."""
        try:
            return Choices(**json.loads(self.choices_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Choices()
        except (OSError, ValueError, TypeError) as error:
            raise HomeError(
                f"{self.choices_file} cannot be read: {error}; `tallow up` writes it anew"
            ) from None

    def remember(self, choices: Choices) -> None:
        """Keep what `up` was told."""
        write_private(self.choices_file, json.dumps(asdict(choices), indent=2) + "\n")


def private_folder(path: Path) -> None:
    """Make a folder and what is missing above it, each with mode 0700."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, content: str) -> bool:
    """Write a file of mode 0600 at once or not at all; whether its content changed."""
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return False
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return True


def append_private(path: Path) -> int:
    """A descriptor for appending to a file of mode 0600."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def read_json(path: Path) -> Any:
    """A JSON file's content, None where it is missing or half written."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
