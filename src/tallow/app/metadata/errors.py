"""Reasons why the metadata of a picture cannot be removed."""

from __future__ import annotations


class BrokenImageError(Exception):
    """The file violates its format, so that metadata cannot be located."""


class ImageLimitError(BrokenImageError):
    """Stripping would exceed a limit of memory or time. The text names the limit."""
