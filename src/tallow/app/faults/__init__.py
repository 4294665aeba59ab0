"""Faults for drills, on request: nothing of this is loaded unless the process was started with
``TALLOW_FAULTS=1``."""
