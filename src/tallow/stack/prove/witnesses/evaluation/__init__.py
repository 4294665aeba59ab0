"""Evaluate PromQL on input series, and measure how far an expression is from having a result.

The search for input series evaluates an expression hundreds of times. What it finds is verified by promtool.
"""

from __future__ import annotations
