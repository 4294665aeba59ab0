"""A WSGI application that configures logging when gunicorn has done so, and fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from tallow.monitoring.logging import configure

SECRET = "alice@example.org"
configure()


def app(_environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
    """Log a line through gunicorn's own logger and fail."""
    logging.getLogger("gunicorn.error").warning("seen by %s", SECRET)
    raise ValueError(f"boom for {SECRET} password=hunter2secret")
