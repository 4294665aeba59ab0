"""Mutation testing of alert rules: find changes of a rule that no test detects."""

from __future__ import annotations
