"""What is remembered of a transfer so that it can be resumed: private files, removed when it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tallow.app.files.names import PARTIAL
from tallow.app.link import Link, LinkError
from tallow.app.peer import user_files
from tallow.app.peer.transfer.manifest import Manifest, ManifestEntry

SAVE_EVERY_S: Final = 1.0
LARGE_BYTES: Final = 16 * 1024 * 1024
"""Files from here on take long enough to be worth a write of the whole memory."""


@dataclass
class ReceiverState:
    """A receiver's memory of one link.

    Attributes:
        confirmed: the person here wants the files of ``manifest``.
        paths: files that are complete, by their number in the manifest.
        partial: the file that is being received, under its temporary name.
        folders: folders that were made for files, each after the one that it is in.
    """

    file: Path | None
    expires: float
    rejoin_key: str | None = None
    manifest: str | None = None
    confirmed: bool = False
    paths: dict[int, str] = field(default_factory=dict)
    partial: str | None = None
    folders: list[str] = field(default_factory=list)
    offered: Manifest | None = None
    _saved: float = 0.0

    @classmethod
    def load(cls, link: Link, expires: float) -> ReceiverState:
        """What earlier runs with this link have left."""
        file = user_files.state_folder() / f"receive-{link.room}.json"
        found = user_files.read_json(file)
        received = cls(file, expires)
        with suppress(KeyError, ValueError, TypeError, AttributeError):
            received.rejoin_key = found["seat"]
            received.manifest = found["manifest"]
            received.confirmed = found["confirmed"] is True
            received.paths = {int(number): str(path) for number, path in found["paths"].items()}
            received.folders = [str(folder) for folder in found["folders"]]
            received.partial = found["partial"]
        return received

    @property
    def has_manifest(self) -> bool:
        """An earlier connection got as far as a manifest."""
        return self.manifest is not None

    @property
    def completed_files(self) -> set[int]:
        """Files that are complete, and still where they were put."""
        return {number for number, path in self.paths.items() if Path(path).exists()}

    def accept_manifest(self, manifest: Manifest) -> bool:
        """Whether this is the manifest of before, if there was one; it is, from now on."""
        mark = manifest.sha256
        if self.manifest not in {None, mark}:
            return False
        self.manifest, self.offered = mark, manifest
        self.save()
        return True

    def partial_started(self, partial: Path, size: int, folders: Sequence[Path]) -> None:
        """A file is being received. Written down at once if it is large: others are soon complete."""
        self.partial = str(partial.absolute())
        made = [str(folder.absolute()) for folder in folders]
        self.folders += [folder for folder in made if folder not in set(self.folders)]
        if size >= LARGE_BYTES:
            self.save()

    def remove_unfinished(self) -> None:
        """Remove what is there of a file that nobody goes on with, and folders with nothing in them."""
        _remove_unfinished(self.partial, self.folders)

    def file_finished(self, number: int, path: Path) -> None:
        """A file is complete. Written down now and then: of ten thousand files each would cost all before."""
        self.paths[number] = str(path.resolve())
        if time.monotonic() - self._saved >= SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Write it down. A disk that does not take it costs the memory of it, no transfer."""
        self._saved = time.monotonic()
        if self.file is not None:
            paths = {str(number): path for number, path in self.paths.items()}
            content = {
                "seat": self.rejoin_key,
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
        """The transfer is over."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)


@dataclass
class SenderState:
    """A sender's memory of one transfer: all that it takes to come back to its room."""

    link: Link
    expires: float
    paths: list[str]
    rejoin_key: str | None = None
    keep_metadata: bool = False
    manifest: Manifest | None = None
    file: Path | None = None

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.file or user_files.state_folder() / f"send-{self.link.room}.json"

    def save(self) -> None:
        """Write it down; see :meth:`Received.save`."""
        files = [
            {"name": entry.name, "size": entry.size, "sha256": entry.sha256.hex()}
            for entry in (self.manifest.files if self.manifest else ())
        ]
        content = {
            "link": self.link.text,
            "expires": self.expires,
            "paths": self.paths,
            "seat": self.rejoin_key,
            "keep_metadata": self.keep_metadata,
            "files": files,
        }
        with suppress(OSError):
            user_files.write_json(self.path, content)

    def remove(self) -> None:
        """The transfer is over."""
        self.path.unlink(missing_ok=True)


def interrupted_transfers() -> list[SenderState]:
    """Transfers of this user that can be resumed, the oldest first; what is past its time is removed."""
    found = []
    for file, content in _kept("send-"):
        with suppress(KeyError, ValueError, TypeError, LinkError):
            files = tuple(
                ManifestEntry(str(entry["name"]), int(entry["size"]), bytes.fromhex(entry["sha256"]))
                for entry in content["files"]
            )
            found.append(
                SenderState(
                    Link.parse(content["link"]),
                    float(content["expires"]),
                    [str(path) for path in content["paths"]],
                    content["seat"],
                    bool(content["keep_metadata"]),
                    Manifest(files) if files else None,
                    file,
                )
            )
    return sorted(found, key=lambda sent: sent.expires)


def remove_expired() -> None:
    """Remove what is past its time."""
    for prefix in ("send-", "receive-"):
        list(_kept(prefix))


def _kept(prefix: str) -> Iterator[tuple[Path, dict[str, Any]]]:
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
    """Remove a file that has its temporary name still, and folders that are empty, the innermost first."""
    if isinstance(partial, str) and partial.endswith(PARTIAL):
        with suppress(OSError):
            Path(partial).unlink()
    for folder in reversed(folders):
        with suppress(OSError):
            Path(folder).rmdir()
