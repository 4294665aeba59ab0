"""Log warnings instead of printing them, as records of the logger ``py.warnings``.

``logging.captureWarnings`` does the same, but it keeps state that ``warnings.catch_warnings`` invalidates. If
the host calls it, its hook is used.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any, Final

from tallow.monitoring.logging.exceptions import relative_path

_LOGGER: Final = "py.warnings"


class _State:
    """What is installed: see :mod:`.handlers`."""

    def __init__(self) -> None:
        self.active = False
        self.original: Callable[..., Any] = warnings.showwarning
        self.hook: Callable[..., Any] | None = None


_state: Final = _State()


def install() -> None:
    """Replace ``warnings.showwarning``."""
    _state.active = True
    if warnings.showwarning is not _state.hook:
        _state.original, _state.hook = warnings.showwarning, _watch(warnings.showwarning)
        warnings.showwarning = _state.hook


def uninstall() -> None:
    """Restore ``warnings.showwarning``, unless another hook was installed after ours."""
    _state.active = False
    if _state.hook is not None and warnings.showwarning is _state.hook:
        warnings.showwarning = _state.original
    _state.hook = None


def _watch(original: Callable[..., Any]) -> Callable[..., Any]:
    def show_warning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        """Log a warning, without its source line. A caller that names a file gets what it asked for."""
        if file is not None or not _state.active:
            original(message, category, filename, lineno, file, line)
            return
        location = f"{relative_path(filename)}:{lineno}"
        facts = {"category": category.__name__, "location": location}
        logging.getLogger(_LOGGER).warning("%s: %s", category.__name__, message, extra=facts)

    return show_warning
