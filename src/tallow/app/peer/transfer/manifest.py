"""The manifest that the sender offers, and the receiver's answer: what it has already."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from tallow.app.bounded_json import BadJsonError, parse_bounded
from tallow.app.crypto.errors import MalformedError

MAX_FILES: Final = 10_000
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_VALUES: Final = 5 * MAX_FILES
"""Values of a document in all: three and an object for each file of a manifest."""
MAX_NAME: Final = 4096
MAX_SIZE: Final = 2**53
"""The largest integer that every JSON implementation represents exactly."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One offered file: relative name, size in bytes, SHA-256."""

    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """The offered files, in the order of their transfer."""

    files: tuple[ManifestEntry, ...]

    @property
    def size(self) -> int:
        """Total size in bytes."""
        return sum(entry.size for entry in self.files)

    @property
    def sha256(self) -> str:
        """SHA-256 of the encoded manifest, in hexadecimal."""
        return hashlib.sha256(self.encode()).hexdigest()

    def encode(self) -> bytes:
        """Encode as JSON."""
        files = [
            {"name": entry.name, "size": entry.size, "sha256": entry.sha256.hex()} for entry in self.files
        ]
        return orjson.dumps({"files": files})

    @classmethod
    def decode(cls, document: bytes) -> Manifest:
        """Decode a received document.

        Raises:
            MalformedError: it is not a valid manifest.
        """
        files = _parse_object(document, {"files"})["files"]
        if not isinstance(files, list) or not 0 < len(files) <= MAX_FILES:
            raise MalformedError(f"a transfer has 1 to {MAX_FILES} files")
        return cls(tuple(_entry(file) for file in files))


def _entry(file: Any) -> ManifestEntry:
    if isinstance(file, dict) and file.keys() == {"name", "size", "sha256"}:
        name, size, digest = file["name"], file["size"], file["sha256"]
        named = isinstance(name, str) and 0 < len(name) <= MAX_NAME
        if named and _is_count(size, MAX_SIZE) and isinstance(digest, str) and _DIGEST.fullmatch(digest):
            return ManifestEntry(name, size, bytes.fromhex(digest))
    raise MalformedError("a file in the manifest has no valid name, size and sha256")


@dataclass(frozen=True, slots=True)
class ResumeOffer:
    """What the receiver has already: bytes by file index, and indices of complete files."""

    partial_bytes: dict[int, int] = field(default_factory=dict)
    complete_files: frozenset[int] = frozenset()

    def encode(self) -> bytes:
        """Encode as JSON."""
        return orjson.dumps({"have": sorted(self.partial_bytes.items()), "done": sorted(self.complete_files)})

    @classmethod
    def decode(cls, document: bytes, manifest: Manifest) -> ResumeOffer:
        """Decode the receiver's answer to ``manifest``.

        Raises:
            MalformedError: it is invalid or does not fit the manifest.
        """
        found = _parse_object(document, {"have", "done"})
        have, done = found["have"], found["done"]
        sizes = [entry.size for entry in manifest.files]
        if isinstance(have, list) and isinstance(done, list):
            valid = all(_is_count(file, len(sizes) - 1) for file in done)
            if valid and all(_is_partial(pair, sizes) for pair in have):
                return cls(dict(have), frozenset(done))
        raise MalformedError("the answer to the manifest does not fit it")


def _is_partial(pair: Any, sizes: list[int]) -> bool:
    """Whether this is a file's index and a number of its bytes."""
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and _is_count(pair[0], len(sizes) - 1)
        and _is_count(pair[1], sizes[pair[0]])
    )


def _parse_object(document: bytes, keys: set[str]) -> dict[str, Any]:
    try:
        found = parse_bounded(document, MAX_VALUES)
    except BadJsonError as error:
        raise MalformedError(f"a document is {error}") from None
    if not isinstance(found, dict) or found.keys() != keys:
        raise MalformedError(f"a document must have exactly the keys {', '.join(sorted(keys))}")
    return found


def _is_count(number: Any, most: int) -> bool:
    return type(number) is int and 0 <= number <= most
