"""The event that Plausible receives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        body: the JSON body.
        headers: the headers by which Plausible counts visits; ``repr`` leaves them out.
    """

    body: dict[str, Any]
    headers: dict[str, str] = field(repr=False)
