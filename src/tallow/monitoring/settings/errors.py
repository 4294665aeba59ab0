"""The error of a setting that cannot be used."""

from __future__ import annotations


class BadSettingError(Exception):
    """A setting that cannot be used; the text is one line for the operator and shows no secret."""
