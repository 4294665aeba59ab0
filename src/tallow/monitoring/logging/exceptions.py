"""Describe an exception as ``error{type,message,stack}``, in bounded size.

Local variables and source lines are left out: they are where secrets most often enter logs. A frame shows its
file relative to the interpreter's path, its line and its function.
"""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final

MAX_MESSAGE: Final = 2_048
MAX_FRAMES: Final = 40
MAX_MEMBER_FRAMES: Final = 8
"""Frames of each member of an exception group."""
MAX_CHAIN: Final = 5
"""Causes that are followed."""
MAX_EXCEPTIONS: Final = 40
"""Exceptions in one description: causes and members of groups."""
MAX_NOTES: Final = 10
MAX_STACK: Final = 24_576
"""Characters of a stack. A longer one loses its middle."""

_CALL: Final = re.compile(r'^  File "([^"\n]*)", line (\d+), in (.*)$', re.MULTILINE)
_PACKAGE: Final = str(Path(__file__).parent)

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
    return {"type": _name(error), "message": _message(error), "stack": _shorten("\n".join(_stack(error)))}


def _shorten(stack: str) -> str:
    half = MAX_STACK // 2
    return stack if len(stack) <= MAX_STACK else f"{stack[:half]}\n  …\n{stack[-half:]}"


def _stack(error: BaseException) -> list[str]:
    lines: list[str] = []
    _add_details(lines, error, {id(error)}, MAX_FRAMES)
    return lines


def _add_details(lines: list[str], error: BaseException, seen: set[int], frames: int) -> None:
    """Add frames, notes, members and causes of an exception, whose own line the caller has written.

    Args:
        lines: is extended.
        error: the exception.
        seen: the ids of the exceptions that are described, each one once and a limited number.
        frames: of each exception.
    """
    current: BaseException | None = error
    for number in range(MAX_CHAIN):
        if current is None or (number and not _admit(current, seen)):
            return
        if number:
            lines.append(f"from {_name(current)}: {_message(current)}")
        notes = getattr(current, "__notes__", None)
        if notes:
            _add_notes(lines, notes)
        lines += _frames(current.__traceback__, frames)
        if isinstance(current, BaseExceptionGroup):
            _add_members(lines, current, seen)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _admit(error: BaseException, seen: set[int]) -> bool:
    """Whether to describe an exception; it is counted as seen then."""
    if id(error) in seen or len(seen) >= MAX_EXCEPTIONS:
        return False
    seen.add(id(error))
    return True


def _add_members(lines: list[str], group: BaseExceptionGroup[BaseException], seen: set[int]) -> None:
    for number, member in enumerate(group.exceptions):
        if len(seen) >= MAX_EXCEPTIONS:
            lines.append(f"({len(group.exceptions) - number} more)")
            return
        if not _admit(member, seen):
            continue
        lines.append(f"with {_name(member)}: {_message(member)}")
        _add_details(lines, member, seen, MAX_MEMBER_FRAMES)


def _add_notes(lines: list[str], notes: object) -> None:
    """Add the notes of PEP 678, one line each."""
    if isinstance(notes, (list, tuple)):
        for note in notes[:MAX_NOTES]:
            text = note if isinstance(note, str) else type(note).__name__
            lines.append(f"note: {_cut(text)}")


def _frames(traceback: TracebackType | None, limit: int = MAX_FRAMES) -> list[str]:
    frames: list[str] = []
    dropped = 0
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"  {relative_path(code.co_filename)}:{traceback.tb_lineno} in {code.co_name}")
        if len(frames) > limit:  # the outermost and the innermost calls tell most
            del frames[limit // 2]
            dropped += 1
        traceback = traceback.tb_next
    if dropped:
        frames.insert(limit // 2, f"  ({dropped} more)")
    return frames


def stack_of_text(text: str) -> str:
    """Return a stack as ``stack_info`` has it in the form of ``error.stack``, without source lines."""
    calls = [f"  {relative_path(file)}:{line} in {name}" for file, line, name in _CALL.findall(text)]
    return "\n".join(calls[-MAX_FRAMES:]) if calls else _cut(text)


def current_stack() -> str:
    """Return the stack of the caller, without frames of this package."""
    frame: FrameType | None = sys._getframe(1)
    calls: list[str] = []
    while frame is not None and len(calls) < MAX_FRAMES:
        code = frame.f_code
        if not code.co_filename.startswith(_PACKAGE):
            calls.append(f"  {relative_path(code.co_filename)}:{frame.f_lineno} in {code.co_name}")
        frame = frame.f_back
    return "\n".join(reversed(calls))


@functools.lru_cache(maxsize=1024)
def relative_path(filename: str) -> str:
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
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}…"
