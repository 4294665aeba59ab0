"""Names from the other side, made safe: they stay inside the folder, and every system takes them."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

MAX_PART: Final = 255
"""Bytes of one name, as common file systems have it."""
MAX_FOLDERS: Final = 32
MAX_PATH: Final = 900
"""Bytes of a whole relative path: 1,024, the shortest PATH_MAX around, less room for the folder."""
PARTIAL: Final = ".tallow-part"
"""What files end with that are still being received."""
FALLBACK: Final = "file"

_RESERVED: Final = re.compile(r'[\\:*?"<>|]')
# CONIN$, and the superscripts in COM¹, are devices of Windows too; so are they with any extension.
_DEVICE: Final = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE
)
_NAME: Final = re.compile(r"(?P<stem>.+?)(?P<extension>(?:\.tar)?\.[A-Za-z0-9]{1,16})?", re.DOTALL)
# What joins letters in some scripts, and emoji, and can be seen by what it does.
_JOINERS: Final = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def safe_path(name: str) -> PurePosixPath:
    """A relative path from a name of the other side, its folders kept.

    Steps out of the folder, roots, drives and empty parts go; control characters, lone surrogates and what
    Windows reserves become ``_``; invisible ones (bidirectional overrides among them) go; a device's name and
    a dot at the top (``.ssh``, ``.bashrc``: a folder may be somebody's home) get a ``_``. Names are NFC,
    end neither in a dot nor in a space, and are cut to lengths that can be written.
    """
    cleaned = unicodedata.normalize("NFC", "".join(map(_replace_character, name)))
    parts = [part for piece in cleaned.split("/") if (part := _safe_part(piece))] or [FALLBACK]
    if parts[0].startswith("."):
        parts[0] = f"_{parts[0][1:]}"
    *folders, last = parts
    if last.lower().endswith(PARTIAL):
        last = f"{last[:-1]}_"
    folders = folders[:MAX_FOLDERS]
    while folders and len("/".join([*folders, last]).encode()) > MAX_PATH:
        folders.pop()
    return PurePosixPath(*folders, last)


def numbered_path(path: PurePosixPath, number: int) -> PurePosixPath:
    """The name to take when one is taken: ``holiday/beach.jpg`` -> ``holiday/beach (2).jpg``."""
    return path.with_name(truncate_name(path.name, f" ({number})"))


def truncate_name(name: str, suffix: str = "") -> str:
    """A name with ``suffix`` before its extension, cut before both to what a name may have in bytes."""
    found = _NAME.fullmatch(name)
    stem, extension = (found["stem"], found["extension"] or "") if found else (name, "")
    room = MAX_PART - len(f"{suffix}{extension}".encode())
    if len(stem.encode()) > room:
        stem = stem.encode()[:room].decode(errors="ignore").rstrip(" .")
    return f"{stem}{suffix}{extension}"


def _replace_character(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Cf":
        return letter if letter in _JOINERS else ""
    return "_" if category in {"Cc", "Cs", "Zl", "Zp"} or _RESERVED.match(letter) else letter


def _safe_part(piece: str) -> str:
    part = piece.strip(" ").rstrip(" .")
    if _DEVICE.match(part):
        part = f"_{part}"
    return truncate_name(part) if part else ""
