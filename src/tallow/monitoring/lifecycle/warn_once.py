"""What the library has to say about itself, once each: repeated at every scrape it would tell nobody more."""

from __future__ import annotations

import logging
from typing import Final

MOST: Final = 100
"""Different things said at most in the life of a process."""

_said: Final[set[tuple[str, str]]] = set()


def withhold(what: str) -> None:
    """Do not log a warning later on: it is shown in another way."""
    _said.add((what, _name(None)))


def warn_once(what: str, who: object = None, error: BaseException | None = None) -> None:
    """Log a warning with the names of what it is about and of the error's type, but not its text: that may be
    private."""
    name = _name(who)
    if (what, name) in _said or len(_said) >= MOST:
        return
    _said.add((what, name))
    about = f": {name}" if who else ""
    why = f" ({type(error).__qualname__})" if error else ""
    logging.getLogger(__name__).warning("%s%s%s", what, about, why)


def _name(who: object) -> str:
    return who if isinstance(who, str) else getattr(who, "__qualname__", type(who).__qualname__)
