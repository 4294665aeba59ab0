"""Replace several files together: all drafts are written before the first file is replaced."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from tallow.monitoring.lifecycle.private_files import private_folder

FOLDER = "change"
"""The folder of drafts in ``run``; it exists only while files are replaced."""


class FileTransaction:
    """New content for files and the removal of others; it can be undone until :meth:`close`.

    A full disk raises in :meth:`prepare`, before any file has changed: replacing and undoing need no space.

    Args:
        files: content by path; each file gets mode 0600.
        obsolete: files to remove.
        folder: for drafts and former content; on the same file system as the files.

    Attributes:
        changed: the files whose content is new.
        removed: the files that are removed.
    """

    def __init__(self, files: Mapping[Path, str], obsolete: Iterable[Path], folder: Path) -> None:
        self.changed = {path: text for path, text in files.items() if _content(path) != text}
        self.removed = tuple(path for path in obsolete if path.exists())
        self._folder = folder
        self._former: dict[Path, Path | None] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that changes."""
        return (*self.changed, *self.removed)

    def prepare(self) -> None:
        """Write the drafts and keep the former content.

        Raises:
            OSError: the disk is full, or a folder cannot be written to; no file has changed.
        """
        self.close()  # removes the files of an interrupted transaction
        try:
            private_folder(self._folder)
            for number, (path, text) in enumerate(self.changed.items()):
                private_folder(path.parent)
                _write(self._draft(number), text)
            for number, path in enumerate(self.paths):
                _keep(path, self._kept(number))
        except BaseException:
            self.close()
            raise

    def apply(self) -> None:
        """Replace and remove the files.

        Raises:
            OSError: a file cannot be replaced; all are restored.
        """
        try:
            for number, path in enumerate(self.paths):
                if path in self.changed:
                    self._draft(number).replace(path)
                else:
                    path.unlink()
                kept = self._kept(number)
                self._former[path] = kept if kept.exists() else None
        except OSError:
            self.undo()
            raise

    def undo(self) -> None:
        """Restore every file, with the present time of change: services must read them again."""
        for path, kept in self._former.items():
            if kept is None:
                path.unlink(missing_ok=True)
            elif kept.exists():
                kept.replace(path)
                os.utime(path)
        self._former.clear()

    def close(self) -> None:
        """Delete the former content."""
        self._former.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _draft(self, number: int) -> Path:
        return self._folder / f"{number}.new"

    def _kept(self, number: int) -> Path:
        return self._folder / f"{number}.old"


def _content(path: Path) -> str | None:
    """A file's text; None if it is missing or no UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _keep(path: Path, kept: Path) -> None:
    """Keep a file's content under a second name: a hard link, or a copy if links are not supported."""
    if not path.exists():
        return
    try:
        os.link(path, kept)
    except OSError:
        shutil.copy2(path, kept)
