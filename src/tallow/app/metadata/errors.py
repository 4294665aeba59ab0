"""Why a picture cannot be cleaned."""

from __future__ import annotations


class BrokenImageError(Exception):
    """A file is not made as its format wants it: what of it could be metadata cannot be told."""


class ImageLimitError(BrokenImageError):
    """Cleaning the file would take more memory or time than is granted. The text names the limit."""
