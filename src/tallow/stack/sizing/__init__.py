"""Sizes of Prometheus for many instances: series, samples, disk, memory, rule evaluation, and the topology.

The figures come from the metric catalogue, the rules and measurements of a real Prometheus
(``measurements.json``, written by ``tests/integration/test_size.py``).
"""

from __future__ import annotations
