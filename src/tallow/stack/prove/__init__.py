"""Find the faults in anybody's Prometheus rules that ``promtool check rules`` accepts.

:mod:`~tallow.stack.prove.rule_file` reads rule files, :mod:`~tallow.stack.prove.metrics` reads what an
exporter or a Prometheus exposes, :mod:`~tallow.stack.prove.checks` holds the checks. Each check has a
section in ``docs/prove.md``.
"""

from __future__ import annotations
