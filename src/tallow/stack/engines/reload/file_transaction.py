"""Replace several files together: all drafts are written before the first file is replaced."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from tallow.monitoring.lifecycle.private_files import private_folder

FOLDER = "change"
"""The folder of drafts in ``run``; it exists only while files are replaced."""
PRIVATE = 0o600
READABLE = 0o444
"""The users of containers are other users than that of this process."""


class FileTransaction:
    """New content for files and the removal of others; it can be undone until :meth:`close`.

    A full disk raises in :meth:`prepare`, before any file has changed: replacing and undoing need no space.

    Args:
        files: content by path; each file gets mode 0600, unless it is below ``readable``.
        obsolete: files to remove.
        folder: for drafts and former content; on the same file system as the files.
        readable: folders of mode 0700 whose content is mounted into containers: files below them get mode
            0444 and folders mode 0755.

    Attributes:
        changed: the files whose content is new.
        removed: the files that are removed.
    """

    def __init__(
        self,
        files: Mapping[Path, str],
        obsolete: Iterable[Path],
        folder: Path,
        readable: Iterable[Path] = (),
    ) -> None:
        self.changed = {path: text for path, text in files.items() if _content(path) != text}
        self.removed = tuple(path for path in obsolete if path.exists())
        self._folder = folder
        self._readable = tuple(readable)
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
                root = next((one for one in self._readable if path.is_relative_to(one)), None)
                make_folder(path.parent, root)
                _write(self._draft(number), text, PRIVATE if root is None else READABLE)
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


def make_folder(folder: Path, readable: Path | None = None) -> None:
    """Make a folder of mode 0700, or of mode 0755 below the folder ``readable``, which gets mode 0700."""
    if readable is None or folder == readable:
        private_folder(folder)
        return
    make_folder(folder.parent, readable)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)


def _write(path: Path, text: str, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
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
