"""The checks, one module for each subject. :mod:`~tallow.stack.prove.checks.catalog` lists all of them."""

from __future__ import annotations
