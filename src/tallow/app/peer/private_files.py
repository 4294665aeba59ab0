"""Files that only this user may read: settings, and what a transfer needs to be resumed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

MAX_BYTES: Final = 32 * 1024 * 1024


def state_folder() -> Path:
    """Where transfers that may be resumed are remembered (XDG Base Directory Specification)."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "transfers"


def config_folder() -> Path:
    """Where settings are kept."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a file as a whole, with mode 0600, in a folder of mode 0700.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(content))
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def remove_abandoned() -> None:
    """Remove what :func:`write` left of files when its process was killed in the middle. Never raises."""
    for folder in (state_folder(), config_folder()):
        with suppress(OSError):
            for file in folder.glob(".*.json.*"):
                if _is_abandoned(file.suffix[1:]):
                    file.unlink(missing_ok=True)


def _is_abandoned(pid: str) -> bool:
    """Whether a draft's name ends with the number of a process that has ended."""
    if not pid.isascii() or not pid.isdecimal():
        return False
    with suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except (ProcessLookupError, OverflowError):
            return True
    return False


def read(path: Path) -> dict[str, Any]:
    """What was written; empty if there is nothing, or nothing that can be understood."""
    with suppress(OSError, orjson.JSONDecodeError):
        if path.stat().st_size <= MAX_BYTES:
            content = orjson.loads(path.read_bytes())
            return content if isinstance(content, dict) else {}
    return {}


def _xdg(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    # The specification: a path that is not absolute is to be ignored.
    base = Path(value) if value.startswith("/") else Path.home() / default
    return base / "tallow"
