"""What a picture's reader says when it cannot follow it."""

from __future__ import annotations


class BrokenImageError(Exception):
    """A file is not made as its format wants it: what of it could be metadata cannot be told."""
