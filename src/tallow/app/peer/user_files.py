"""The user's settings and the state of interrupted transfers: private JSON files in the XDG folders."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from tallow.monitoring.lifecycle.private_files import drafts, write_private

MAX_BYTES: Final = 32 * 1024 * 1024


def state_folder() -> Path:
    """The folder of interrupted transfers (XDG Base Directory Specification)."""
    return _xdg_folder("XDG_STATE_HOME", ".local/state") / "transfers"


def config_folder() -> Path:
    """The folder of the user's settings."""
    return _xdg_folder("XDG_CONFIG_HOME", ".config")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a private JSON file in one step.

    Raises:
        OSError: it cannot be written.
    """
    write_private(path, orjson.dumps(content), durable=False)  # fsync would block the event loop


def read_json(path: Path) -> dict[str, Any]:
    """The content of a JSON file; empty if it is missing, not JSON or larger than ``MAX_BYTES``."""
    with suppress(OSError, orjson.JSONDecodeError):
        if path.stat().st_size <= MAX_BYTES:
            content = orjson.loads(path.read_bytes())
            return content if isinstance(content, dict) else {}
    return {}


def remove_abandoned_drafts() -> None:
    """Remove the drafts of files whose process was killed while it wrote. Never raises."""
    for folder in (state_folder(), config_folder()):
        with suppress(OSError):
            for draft, pid in drafts(folder, "*.json"):
                if not _is_running(pid):
                    draft.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's process
        return True
    return True


def _xdg_folder(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    # The specification: a path that is not absolute is ignored.
    base = Path(value) if value.startswith("/") else Path.home() / default
    return base / "tallow"
