"""State of interrupted transfers, in private files that are removed when the transfer is over."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tallow.app.crypto.errors import MalformedError
from tallow.app.files.names import PARTIAL
from tallow.app.peer import user_files
from tallow.app.peer.file_lock import FileLock
from tallow.app.peer.link import Link, LinkError
from tallow.app.peer.transfer.manifest import Manifest
from tallow.app.room_ids import rooms_of_link

SAVE_EVERY_S: Final = 1.0
UNUSED_LOCK_S: Final = 86_400
"""After this time a lock that nobody holds is removed."""
LARGE_BYTES: Final = 16 * 1024 * 1024
"""Files of this size take long enough that the state is saved at their start."""


@dataclass
class ReceiverState:
    """The receiver's state of one transfer.

    Attributes:
        room: the room that the server chose among those of the link.
        confirmed: the person here accepted the files of ``manifest``.
        paths: final paths of complete files, by index in the manifest.
        partial: temporary path of the file that is being received.
        folders: folders that were made for files, parents first.
    """

    file: Path | None
    expires: float
    rejoin_key: str | None = None
    room: str | None = None
    manifest: str | None = None
    confirmed: bool = False
    paths: dict[int, str] = field(default_factory=dict)
    partial: str | None = None
    folders: list[str] = field(default_factory=list)
    offered: Manifest | None = None
    _saved: float = 0.0
    _lock: FileLock | None = None

    @classmethod
    def load(cls, link: Link, expires: float, folder: Path = Path()) -> ReceiverState:
        """The state that earlier runs with this link have left; a new one if there is none.

        Programs of one user may receive a link for several receivers at the same time: each has a state of
        its own, which it locks. The next program that receives into the same folder resumes it.

        Args:
            folder: for the received files.
        """
        name = f"receive-{link.room}"
        receivers = len(rooms_of_link(link.room))
        if receivers == 1:
            return cls._read(user_files.state_folder() / f"{name}.json", expires)
        name += "-" + hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:12]
        for number in range(1, receivers + 1):
            file = user_files.state_folder() / f"{name}-{number}.json"
            lock = FileLock.acquire(file.with_suffix(".lock"))
            if lock is not None:
                received = cls._read(file, expires)
                received._lock = lock
                return received
        return cls(None, expires)

    @classmethod
    def _read(cls, file: Path, expires: float) -> ReceiverState:
        found = user_files.read_json(file)
        received = cls(file, expires)
        with suppress(KeyError, ValueError, TypeError, AttributeError):
            received.rejoin_key = found["rejoin_key"]
            received.room = found["room"]
            received.manifest = found["manifest"]
            received.confirmed = found["confirmed"] is True
            received.paths = {int(number): str(path) for number, path in found["paths"].items()}
            received.folders = [str(folder) for folder in found["folders"]]
            received.partial = found["partial"]
        return received

    @property
    def has_manifest(self) -> bool:
        """Whether an earlier connection received a manifest."""
        return self.manifest is not None

    @property
    def completed_files(self) -> set[int]:
        """Indices of files that are complete and still exist."""
        return {number for number, path in self.paths.items() if Path(path).exists()}

    def accept_manifest(self, manifest: Manifest) -> bool:
        """Whether the manifest equals the one of earlier connections. The first one is stored."""
        sha256 = manifest.sha256
        if self.manifest not in {None, sha256}:
            return False
        self.manifest, self.offered = sha256, manifest
        self.save()
        return True

    def partial_started(self, partial: Path, size: int, folders: Sequence[Path]) -> None:
        """A file is being received. Saved at once if it is large; small ones are soon complete.

        Args:
            folders: that were made since the last call.
        """
        self.partial = str(partial.absolute())
        self.add_folders(folders)
        if size >= LARGE_BYTES:
            self.save()

    def add_folders(self, folders: Sequence[Path]) -> None:
        """Folders were made for this transfer."""
        self.folders += [str(folder.absolute()) for folder in folders]

    def remove_unfinished(self) -> None:
        """Remove the partial file, and folders that were made for it and are empty."""
        _remove_unfinished(self.partial, self.folders)
        self.partial = None

    def file_finished(self, number: int, path: Path) -> None:
        """A file is complete. Saved at most once a second: each save writes the state of all files."""
        self.paths[number] = str(path.resolve())
        if time.monotonic() - self._saved >= SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Save the state. If that fails, the transfer goes on and cannot be resumed."""
        self._saved = time.monotonic()
        if self.file is not None:
            paths = {str(number): path for number, path in self.paths.items()}
            content = {
                "rejoin_key": self.rejoin_key,
                "room": self.room,
                "manifest": self.manifest,
                "confirmed": self.confirmed,
                "paths": paths,
                "partial": self.partial,
                "folders": self.folders,
                "expires": self.expires,
            }
            with suppress(OSError):
                user_files.write_json(self.file, content)

    def remove(self) -> None:
        """Remove the state: the transfer is over."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    def release(self) -> None:
        """Let other programs use the state: this one ends."""
        if self._lock is not None:
            self._lock.release()


@dataclass
class SenderState:
    """The sender's state of one transfer: what it needs to join its room again.

    Attributes:
        room: of the link's rooms, the one of this transfer's receiver; None: the one that the link names.
        counted: the transfer was stopped and has been counted as cancelled. It counts once.
    """

    link: Link
    expires: float
    paths: list[str]
    rejoin_key: str | None = None
    keep_metadata: bool = False
    manifest: Manifest | None = None
    file: Path | None = None
    links: bool = False
    exclude: tuple[str, ...] = ()
    git: bool = False
    skip_unreadable: bool = False
    resumable: bool = True
    room: str | None = None
    counted: bool = False

    @property
    def path(self) -> Path:
        """Path of the state file."""
        return self.file or user_files.state_folder() / f"send-{self.room or self.link.room}.json"

    def save(self) -> None:
        """See :meth:`ReceiverState.save`. Standard input and a text are not kept and cannot be resumed."""
        if not self.resumable:
            return
        content = {
            "link": self.link.text,
            "expires": self.expires,
            "paths": self.paths,
            "rejoin_key": self.rejoin_key,
            "keep_metadata": self.keep_metadata,
            "manifest": self.manifest.encode().decode() if self.manifest else "",
            "links": self.links,
            "exclude": list(self.exclude),
            "git": self.git,
            "skip_unreadable": self.skip_unreadable,
            "room": self.room,
            "counted": self.counted,
        }
        with suppress(OSError):
            user_files.write_json(self.path, content)

    def remove(self) -> None:
        """Remove the state: the transfer is over."""
        self.path.unlink(missing_ok=True)


def interrupted_transfers() -> list[SenderState]:
    """The user's transfers that can be resumed, oldest first. Expired ones are removed."""
    found = []
    for file, content in _unexpired("send-"):
        with suppress(KeyError, ValueError, TypeError, AttributeError, LinkError, MalformedError):
            manifest = Manifest.decode(content["manifest"].encode()) if content["manifest"] else None
            found.append(
                SenderState(
                    Link.parse(content["link"]),
                    float(content["expires"]),
                    [str(path) for path in content["paths"]],
                    content["rejoin_key"],
                    bool(content["keep_metadata"]),
                    manifest,
                    file,
                    links=bool(content["links"]),
                    exclude=tuple(map(str, content["exclude"])),
                    git=bool(content["git"]),
                    skip_unreadable=bool(content["skip_unreadable"]),
                    room=content["room"],
                    counted=bool(content["counted"]),
                )
            )
    return sorted(found, key=lambda sent: (sent.expires, sent.room or ""))


def remove_expired() -> None:
    """Remove expired state, and the partial files that belong to it."""
    for prefix in ("send-", "receive-"):
        list(_unexpired(prefix))
    _remove_unused_locks()


def _remove_unused_locks() -> None:
    """Remove the files of locks whose process was killed.

    Only old ones: a program that starts now must not find its lock taken.
    """
    with suppress(OSError):
        for file in user_files.state_folder().glob("receive-*.lock"):
            is_old = file.stat().st_mtime < time.time() - UNUSED_LOCK_S
            lock = FileLock.acquire(file) if is_old else None
            if lock is not None:
                lock.release()


def _unexpired(prefix: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    with suppress(OSError):
        for file in user_files.state_folder().glob(f"{prefix}*.json"):
            content = user_files.read_json(file)
            expires = content.get("expires")
            if isinstance(expires, int | float) and expires > time.time():
                yield file, content
            else:
                with suppress(TypeError, KeyError):
                    _remove_unfinished(content["partial"], content["folders"])
                file.unlink(missing_ok=True)


def _remove_unfinished(partial: str | None, folders: Sequence[str]) -> None:
    """Remove a file that still has a temporary name, and empty folders, innermost first."""
    if isinstance(partial, str) and partial.endswith(PARTIAL):
        with suppress(OSError):
            Path(partial).unlink()
    for folder in reversed(folders):
        with suppress(OSError):
            Path(folder).rmdir()
