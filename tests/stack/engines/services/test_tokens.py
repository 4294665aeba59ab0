"""What a service that the stack starts answers to a request from this machine without a token."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.transfers.server import tallow_serve
from tallow.stack import credentials
from tallow.stack.engines.services.definitions import SERVICES
from tallow.stack.prometheus import METRICS_TOKEN_FILE

TALLOW = next(service for service in SERVICES if service.name == "tallow")


@pytest.mark.slow
async def test_a_proxy_on_this_machine_publishes_neither_metrics_nor_health_details(tmp_path: Path) -> None:
    """Such a proxy need not add a header: its requests look as if they came from this machine."""
    credentials.create_missing(tmp_path / "secrets")
    tokens = {
        name: value.format(secrets=tmp_path / "secrets")
        for name, value in TALLOW.environment.items()
        if METRICS_TOKEN_FILE in value
    }
    assert set(tokens) == {"METRICS_TOKEN_FILE", "HEALTH_CHECK_TOKEN_FILE"}
    token = (tmp_path / "secrets" / METRICS_TOKEN_FILE).read_text()
    async with tallow_serve(tmp_path, **tokens) as server:
        for path in ("/metrics", "/api/metrics", "/api/health/detailed"):
            assert (await server.http.get(path)).status_code == 401
            allowed = await server.http.get(path, headers={"authorization": f"Bearer {token}"})
            assert allowed.status_code == 200
