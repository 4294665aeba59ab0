"""Log each of the library's own warnings at most once per process."""

from __future__ import annotations

import logging
from typing import Final

MAX_WARNINGS: Final = 100
"""Different warnings that one process logs at most."""

_logged: Final[set[tuple[str, str]]] = set()


def suppress_warning(message: str) -> None:
    """Never log a warning, because it is shown in another way."""
    _logged.add((message, _name(None)))


def warn_once(
    message: str,
    subject: object = None,
    error: BaseException | None = None,
    *,
    level: int = logging.WARNING,
) -> None:
    """Log a warning.

    Args:
        message: the text.
        subject: what it is about: a text, or an object whose name or type is logged.
        error: only its type is logged, because its text may be private.
        level: ``logging.CRITICAL``, which becomes fatal, if a part of the library gives up for good.
    """
    name = _name(subject)
    if (message, name) in _logged or len(_logged) >= MAX_WARNINGS:
        return
    _logged.add((message, name))
    about = f": {name}" if subject else ""
    cause = f" ({type(error).__qualname__})" if error else ""
    logging.getLogger(__name__).log(level, "%s%s%s", message, about, cause)


def reset() -> None:
    """Log every warning again; suppressed ones too. For tests."""
    _logged.clear()


def _name(subject: object) -> str:
    if isinstance(subject, str):
        return subject
    return getattr(subject, "__qualname__", type(subject).__qualname__)
