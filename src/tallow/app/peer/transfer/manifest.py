"""The manifest that the sender offers, and the receiver's answer: what it has already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import orjson

from tallow.app.bounded_json import BadJsonError, parse_bounded
from tallow.app.crypto.errors import MalformedError
from tallow.app.files.attributes import PLAIN, Attributes
from tallow.app.files.links import inner_target
from tallow.app.peer.transfer.manifest_lines import (
    MAX_NAME,
    MAX_SIZE,
    MAX_TARGET,
    attribute_fields,
    decode_lines,
    encode_lines,
    is_count,
    is_digest,
    is_name,
    parse_attributes,
)

MAX_ENTRIES: Final = 250_000
"""Files, folders and links of one transfer."""
MAX_BYTES: Final = 64 * 1024 * 1024
"""Bytes of an encoded manifest."""
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
MAX_ANSWER_VALUES: Final = 16
"""Values of an answer in all: one file at most is there in part."""

__all__ = [
    "MAX_ANSWER_BYTES",
    "MAX_BYTES",
    "MAX_ENTRIES",
    "MAX_NAME",
    "MAX_SIZE",
    "FolderEntry",
    "LinkEntry",
    "Manifest",
    "ManifestEntry",
    "ResumeOffer",
]


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One offered file: relative name, size in bytes, SHA-256, and its other attributes."""

    name: str
    size: int
    sha256: bytes
    attributes: Attributes = PLAIN


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """One offered folder."""

    name: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class LinkEntry:
    """One offered symbolic link, which leads to something inside its top folder."""

    name: str
    target: str


@dataclass(frozen=True)
class Manifest:
    """What is offered: files in the order of their transfer, folders, and links.

    Attributes:
        is_text: whether the only file is a text for the person at the receiver.
    """

    files: tuple[ManifestEntry, ...]
    folders: tuple[FolderEntry, ...] = ()
    links: tuple[LinkEntry, ...] = ()
    is_text: bool = False

    @property
    def size(self) -> int:
        """Total size of the files in bytes."""
        return sum(entry.size for entry in self.files)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the encoded manifest, in hexadecimal."""
        return hashlib.sha256(self.encode()).hexdigest()

    def encode(self) -> bytes:
        """Encode as lines of JSON."""
        return encode_lines(self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        if self.is_text:
            yield {"text": True}
        for entry in self.files:
            fields = {"file": entry.name, "size": entry.size, "sha256": entry.sha256.hex()}
            yield fields | attribute_fields(entry.attributes)
        for folder in self.folders:
            yield {"folder": folder.name} | attribute_fields(folder.attributes)
        for link in self.links:
            yield {"link": link.name, "target": link.target}

    @classmethod
    def decode(cls, document: bytes) -> Manifest:
        """Decode a received document.

        Raises:
            MalformedError: it is not a valid manifest.
        """
        found = _Entries()
        for number, fields in enumerate(decode_lines(document)):
            if number >= MAX_ENTRIES:
                raise MalformedError(f"a transfer has at most {MAX_ENTRIES:,} files, folders and links")
            found.add(fields)
        if not found.files and not found.folders:
            raise MalformedError("a transfer has at least one file or folder")
        if found.is_text and len(found.files) + len(found.folders) + len(found.links) != 1:
            raise MalformedError("a text is one file")
        return cls(tuple(found.files), tuple(found.folders), tuple(found.links), found.is_text)


class _Entries:
    """Collects the entries of a manifest that is decoded."""

    def __init__(self) -> None:
        self.files: list[ManifestEntry] = []
        self.folders: list[FolderEntry] = []
        self.links: list[LinkEntry] = []
        self.is_text = False

    def add(self, fields: dict[str, Any]) -> None:
        """Add one entry.

        Raises:
            MalformedError: it is not valid.
        """
        entry = _parse_entry(fields)
        if isinstance(entry, ManifestEntry):
            self.files.append(entry)
        elif isinstance(entry, FolderEntry):
            self.folders.append(entry)
        elif isinstance(entry, LinkEntry):
            self.links.append(entry)
        elif fields == {"text": True}:
            self.is_text = True
        else:
            raise MalformedError("an entry of the manifest is not valid")


def _parse_entry(fields: dict[str, Any]) -> ManifestEntry | FolderEntry | LinkEntry | None:
    """The file, folder or link of a line; None if it is none, or not valid."""
    if "file" in fields:
        return _parse_file(**_known(fields, "file", "size", "sha256"))
    if "folder" in fields:
        return _parse_folder(**_known(fields, "folder"))
    if fields.keys() == {"link", "target"} and is_name(fields["link"]):
        name, target = fields["link"], fields["target"]
        return LinkEntry(name, target) if is_name(target, MAX_TARGET) and inner_target(name, target) else None
    return None


def _known(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    """The named fields, and the rest as ``more``."""
    more = {name: value for name, value in fields.items() if name not in names}
    return {name: fields.get(name) for name in names} | {"more": more}


def _parse_file(file: Any, size: Any, sha256: Any, more: dict[str, Any]) -> ManifestEntry | None:
    attributes = parse_attributes(more)
    if attributes is None or not (is_name(file) and is_count(size, MAX_SIZE) and is_digest(sha256)):
        return None
    return ManifestEntry(file, size, bytes.fromhex(sha256), attributes)


def _parse_folder(folder: Any, more: dict[str, Any]) -> FolderEntry | None:
    attributes = parse_attributes(more)
    return None if attributes is None or not is_name(folder) else FolderEntry(folder, attributes)


@dataclass(frozen=True, slots=True)
class ResumeOffer:
    """What the receiver has already: bytes by file index, and indices of complete files."""

    partial_bytes: dict[int, int] = field(default_factory=dict)
    complete_files: frozenset[int] = frozenset()

    def encode(self) -> bytes:
        """Encode as JSON. ``done`` is a bit for each file, the first file in the highest bit."""
        highest = max(self.complete_files, default=-1)
        bits = bytearray(highest // 8 + 1)
        for number in self.complete_files:
            bits[number // 8] |= 0x80 >> number % 8
        return orjson.dumps({"have": sorted(self.partial_bytes.items()), "done": bits.hex()})

    @classmethod
    def decode(cls, document: bytes, manifest: Manifest) -> ResumeOffer:
        """Decode the receiver's answer to ``manifest``.

        Raises:
            MalformedError: it is invalid or does not fit the manifest.
        """
        found = _parse_answer(document)
        have, done = found["have"], found["done"]
        sizes = [entry.size for entry in manifest.files]
        if isinstance(have, list) and all(_is_partial(pair, sizes) for pair in have):
            complete = _bits(done)
            if complete is not None and all(number < len(sizes) for number in complete):
                return cls(dict(have), complete)
        raise MalformedError("the answer to the manifest does not fit it")


def _bits(text: object) -> frozenset[int] | None:
    try:
        bits = bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if bits is None:
        return None
    return frozenset(
        at * 8 + bit for at, byte in enumerate(bits) if byte for bit in range(8) if byte & (0x80 >> bit)
    )


def _is_partial(pair: Any, sizes: list[int]) -> bool:
    """Whether this is a file's index and a number of its bytes."""
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and is_count(pair[0], len(sizes) - 1)
        and is_count(pair[1], sizes[pair[0]])
    )


def _parse_answer(document: bytes) -> dict[str, Any]:
    try:
        found = parse_bounded(document, MAX_ANSWER_VALUES)
    except BadJsonError as error:
        raise MalformedError(f"the answer to the manifest is {error}") from None
    if not isinstance(found, dict) or found.keys() != {"have", "done"}:
        raise MalformedError("a document must have exactly the keys done, have")
    return found
