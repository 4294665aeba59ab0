"""Errors that every command about a stack reports as one line."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot do what was requested. The text is for the operator: one or two lines."""


class NotRunningError(StackError):
    """The stack, or the service that was requested, is not running or does not answer."""
