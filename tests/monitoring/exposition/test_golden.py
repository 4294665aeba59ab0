"""The exposition of a new process equals the golden file, which promtool accepts.

After a change of the catalogue, ``PYTHONPATH=tests python tests/monitoring/exposition/test_golden.py``
regenerates it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.programs.debian import program
from support.registries import tallow_metrics
from tallow.monitoring.exposition.text import expose

GOLDEN = Path(__file__).parent / "golden" / "metrics.txt"


def fresh() -> bytes:
    """Return the exposition of a process that has only registered one value of each label."""
    metrics = tallow_metrics()
    metrics.register_route("/api/rooms", ("POST",))
    metrics.register_cache("rooms")
    metrics.register_feature("relay")
    metrics.record_http_request("POST", "/api/rooms", 201, 0.004, 70, 60)
    metrics.record_transfer("success", "relay", 5_000_000, 2.0, "image/jpeg")
    registry = metrics.registry
    for label, value in (("version", "0.0.0"), ("python", "3.11.0"), ("commit", "0123abc")):
        registry.register(label, value)
    registry.set(registry.families["build_info"], ("0.0.0", "3.11.0", "0123abc"), 1)
    return expose(registry)


def test_the_exposition_equals_the_golden_file() -> None:
    assert fresh().decode() == GOLDEN.read_text()


@pytest.mark.integration
def test_promtool_accepts_the_golden_file() -> None:
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=GOLDEN.read_bytes(), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


if __name__ == "__main__":
    GOLDEN.write_bytes(fresh())
