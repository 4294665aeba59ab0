"""The manifest and its answer: what is offered, and from where on it is wanted."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from tallow.app.crypto.errors import MalformedError

MAX_FILES: Final = 10_000
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_NAME: Final = 4096
MAX_SIZE: Final = 2**53
"""Beyond it a JSON number is not exact everywhere."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One file that is offered: its relative name, its size in bytes and its SHA-256."""

    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """All files that are offered, in the order in which they come."""

    files: tuple[ManifestEntry, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files)

    @property
    def sha256(self) -> str:
        """A hash that tells one manifest from another."""
        return hashlib.sha256(self.encode()).hexdigest()

    def encode(self) -> bytes:
        """The document that crosses, as JSON."""
        files = [
            {"name": entry.name, "size": entry.size, "sha256": entry.sha256.hex()} for entry in self.files
        ]
        return orjson.dumps({"files": files})

    @classmethod
    def decode(cls, document: bytes) -> Manifest:
        """The manifest of a document.

        Raises:
            MalformedError: it is none.
        """
        files = _loaded(document, {"files"})["files"]
        if not isinstance(files, list) or not 0 < len(files) <= MAX_FILES:
            raise MalformedError(f"a transfer has 1 to {MAX_FILES} files")
        return cls(tuple(_entry(file) for file in files))


def _entry(file: Any) -> ManifestEntry:
    if isinstance(file, dict) and file.keys() == {"name", "size", "sha256"}:
        name, size, digest = file["name"], file["size"], file["sha256"]
        named = isinstance(name, str) and 0 < len(name) <= MAX_NAME
        if named and _count(size, MAX_SIZE) and isinstance(digest, str) and _DIGEST.fullmatch(digest):
            return ManifestEntry(name, size, bytes.fromhex(digest))
    raise MalformedError("a file in the manifest has no valid name, size and sha256")


@dataclass(frozen=True, slots=True)
class ResumeOffer:
    """What the receiver has already: bytes by file, and files that are complete."""

    partial_bytes: dict[int, int] = field(default_factory=dict)
    complete_files: frozenset[int] = frozenset()

    def encode(self) -> bytes:
        """The document that crosses, as JSON."""
        return orjson.dumps({"have": sorted(self.partial_bytes.items()), "done": sorted(self.complete_files)})

    @classmethod
    def decode(cls, document: bytes, manifest: Manifest) -> ResumeOffer:
        """The answer to ``manifest``.

        Raises:
            MalformedError: it is none.
        """
        found = _loaded(document, {"have", "done"})
        files, sizes = len(manifest.files), [entry.size for entry in manifest.files]
        have, done = found["have"], found["done"]
        if (
            isinstance(have, list)
            and isinstance(done, list)
            and all(_count(file, files - 1) for file in done)
            and all(
                isinstance(pair, list)
                and len(pair) == 2
                and _count(pair[0], files - 1)
                and _count(pair[1], sizes[pair[0]])
                for pair in have
            )
        ):
            return cls(dict(have), frozenset(done))
        raise MalformedError("the answer to the manifest does not fit it")


def _loaded(document: bytes, keys: set[str]) -> dict[str, Any]:
    try:
        found = orjson.loads(document)
    except orjson.JSONDecodeError:
        raise MalformedError("a document is not JSON") from None
    if not isinstance(found, dict) or found.keys() != keys:
        raise MalformedError(f"a document has {', '.join(sorted(keys))}")
    return found


def _count(number: Any, most: int) -> bool:
    return type(number) is int and 0 <= number <= most
