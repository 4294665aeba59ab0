"""The applications within an application object: middleware keeps the one that it wraps in an attribute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

_INNER: Final = ("app", "asgi_app", "application", "inner", "_app", "__wrapped__")
"""Attributes in which ASGI middleware keeps the application that it wraps."""
_MAX_DEPTH: Final = 30


def class_names(app: object) -> Iterator[str]:
    """Yield the full names of an application's class and its base classes."""
    return (f"{cls.__module__}.{cls.__qualname__}" for cls in type(app).__mro__)


def unwrapped(app: Any) -> Iterator[object]:
    """Yield an application, the one that it wraps, and so on."""
    seen: set[int] = set()
    while app is not None and id(app) not in seen and len(seen) < _MAX_DEPTH:
        seen.add(id(app))
        yield app
        app = next((found for name in _INNER if (found := _inner(app, name)) is not None), None)


def _inner(app: object, name: str) -> object:
    """Return a callable attribute, or None. A property of an unknown class may raise anything."""
    with suppress(Exception):
        found = getattr(app, name, None)
        return found if callable(found) else None
    return None
