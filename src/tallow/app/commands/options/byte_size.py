"""A size in bytes on the command line."""

from __future__ import annotations

import re
from typing import Any, Final

import click

UNITS: Final = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "ki": 1024, "mi": 1024**2, "gi": 1024**3}


class ByteSize(click.ParamType[int]):
    """A size: 250000, 5MB, 1.5GiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmg]i?)?b?", str(value).strip().lower())
        size = float(found[1]) * UNITS[found[2] or ""] if found else 0
        if not 1 <= size <= 1e11:
            self.fail("accepted: bytes from 1 to 100GB, such as 250000, 5MB or 1.5GiB", param, ctx)
        return int(size)
