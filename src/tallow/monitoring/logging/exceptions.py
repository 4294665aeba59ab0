"""Describe an exception as ``error{type,message,stack}``, in bounded size.

Local variables and source lines are left out: they are where secrets most often enter logs. A frame shows its
file relative to the interpreter's path, its line and its function.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

MAX_MESSAGE: Final = 2_048
MAX_FRAMES: Final = 40
MAX_CHAIN: Final = 5

ExcInfo = bool | BaseException | tuple[Any, Any, Any] | None


def resolve_exc_info(exc_info: ExcInfo) -> BaseException | None:
    """Return the exception that ``exc_info`` denotes, by the rules of the standard library's logging."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if len(exc_info) == 3 and isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def describe(error: BaseException) -> dict[str, str]:
    """Return the exception's type, message and stack, with the innermost call last."""
    return {"type": _name(error), "message": _message(error), "stack": "\n".join(_stack(error))}


def _stack(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if seen:
            yield f"from {_name(current)}: {_message(current)}"
        seen.add(id(current))
        yield from _frames(current.__traceback__)
        if isinstance(current, BaseExceptionGroup):
            yield from _group_members(current)
        if len(seen) >= MAX_CHAIN:
            return
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _group_members(group: BaseExceptionGroup[BaseException]) -> Iterator[str]:
    for member in group.exceptions[:MAX_CHAIN]:
        yield f"with {_name(member)}: {_message(member)}"
        yield from _frames(member.__traceback__)


def _frames(traceback: TracebackType | None) -> list[str]:
    frames: list[str] = []
    dropped = 0
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"  {_relative_path(code.co_filename)}:{traceback.tb_lineno} in {code.co_name}")
        if len(frames) > MAX_FRAMES:  # the outermost and the innermost calls tell most
            del frames[MAX_FRAMES // 2]
            dropped += 1
        traceback = traceback.tb_next
    if dropped:
        frames.insert(MAX_FRAMES // 2, f"  ({dropped} more)")
    return frames


@functools.lru_cache(maxsize=1024)
def _relative_path(filename: str) -> str:
    """A file relative to the interpreter's path: the folder of the installation may hold a user's name."""
    roots = [entry for entry in sys.path if entry and filename.startswith(entry.rstrip("/") + "/")]
    if not roots:
        return Path(filename).name
    return filename[len(max(roots, key=len).rstrip("/")) + 1 :]


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a __str__ of the host may raise anything
        return "(unreadable message)"
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}…"
