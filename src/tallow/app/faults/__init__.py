"""Fault switches for drills. This package is only imported in a process that was started with
``TALLOW_FAULTS=1``."""
