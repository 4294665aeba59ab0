"""Safe file names: names from the other side stay inside the folder and can be written on every system."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

MAX_PART: Final = 255
"""Bytes of one name: the limit of common file systems."""
MAX_FOLDERS: Final = 100
MAX_PATH: Final = 900
"""Bytes of a relative path: the smallest common PATH_MAX is 1,024, and the folder's own path needs some of
them."""
PARTIAL: Final = ".tallow-part"
"""Suffix of a file that is still being received."""
FALLBACK: Final = "file"
"""Replaces a name of which nothing safe is left, such as a single space."""
_PARENTS: Final = frozenset({".", ".."})

_RESERVED: Final = re.compile(r'[\\:*?"<>|]')
# CONIN$, and COM¹ with a superscript, are Windows devices too, with any extension.
_DEVICE: Final = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE
)
_NAME: Final = re.compile(r"(?P<stem>.+?)(?P<extension>(?:\.tar)?\.[A-Za-z0-9]{1,16})?", re.DOTALL)
# They join letters in some scripts, and emoji; their effect is visible.
_JOINERS: Final = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def safe_path(name: str) -> PurePosixPath:
    """A safe relative path from a name of the other side. Folders are kept.

    Dropped are ``..``, roots, empty parts and invisible characters such as bidirectional overrides.
    Control characters, lone surrogates and characters that Windows reserves become ``_``. Windows device
    names get a leading ``_``; so does a dot at the top (``.ssh``, ``.bashrc``), because the folder may be a
    home folder. Names are normalised to NFC, do not end in a dot or a space, and are cut to writable lengths.
    A name of which nothing is left becomes :data:`FALLBACK`, so that what is below it keeps its folder.

    >>> str(safe_path("../../.bashrc"))
    '_bashrc'
    """
    parts = [part for piece in name.split("/") if piece and (part := _safe_part(piece))] or [FALLBACK]
    if parts[0].startswith("."):
        parts[0] = f"_{parts[0][1:]}"
    *folders, last = parts
    if last.lower().endswith(PARTIAL):
        last = f"{last[:-1]}_"
    folders = folders[:MAX_FOLDERS]
    while folders and len("/".join([*folders, last]).encode()) > MAX_PATH:
        folders.pop()
    return PurePosixPath(*folders, last)


def nesting_problem(name: str) -> str | None:
    """Why a receiver cannot keep the folders of a name; None if it can.

    >>> nesting_problem("a/b.txt")
    >>> nesting_problem("a/" * 101 + "b.txt")
    'it is nested 101 folders deep; accepted: up to 100'
    """
    folders, size = name.count("/"), len(name.encode("utf-8", "replace"))
    if folders > MAX_FOLDERS:
        return f"it is nested {folders} folders deep; accepted: up to {MAX_FOLDERS}"
    if folders and size > MAX_PATH:
        return f"its path has {size} bytes; accepted: up to {MAX_PATH}"
    return None


def numbered_path(path: PurePosixPath, number: int) -> PurePosixPath:
    """The next name to try if a name is taken: ``holiday/beach.jpg`` becomes ``holiday/beach (2).jpg``."""
    return path.with_name(truncate_name(path.name, f" ({number})"))


def truncate_name(name: str, suffix: str = "") -> str:
    """A name with ``suffix`` before its extension, cut to ``MAX_PART`` bytes."""
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
    """A safe name; empty for ``.`` and ``..``, also between spaces or invisible characters."""
    cleaned = unicodedata.normalize("NFC", "".join(map(_replace_character, piece))).strip(" ")
    if cleaned in _PARENTS:
        return ""
    part = cleaned.rstrip(" .")
    if _DEVICE.match(part):
        part = f"_{part}"
    return truncate_name(part) or FALLBACK
