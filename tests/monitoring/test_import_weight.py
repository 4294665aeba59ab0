"""Which heavy modules the library's public imports load."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"pydantic", "dotenv", "httpx", "sentry_sdk", "prometheus_client", "psutil"}


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "from tallow.monitoring.metrics import METRICS",
        "from tallow.monitoring.logging import logger",
        "from tallow.monitoring.sentry import performance_monitoring",
        "from tallow.monitoring.analytics import analytics",
    ],
)
def test_a_public_import_loads_no_settings_and_no_client(statement: str) -> None:
    assert not HEAVY & loaded_by(statement)


def test_the_package_loads_nothing_heavy() -> None:
    assert not (HEAVY | {"asyncio", "orjson"}) & loaded_by("from tallow.monitoring import instrument")
