"""Health checks of the server: without its database it is not ready, without a cache it is degraded."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from support.transfers.server import listener, serving, tallow_serve
from tallow.monitoring.health import builtin_checks
from tallow.monitoring.health.responses import DETAILED, LIVENESS, READINESS

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def _enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests do not depend on the free memory of the machine."""
    monkeypatch.setattr(builtin_checks, "check_memory", lambda: True)


async def test_the_detailed_report_lists_all_components(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        body = (await server.http.get(DETAILED)).json()
    assert set(body["components"]) == {"environment", "memory", "database", "cache"}
    assert body["components"]["database"] | {"duration_ms": 0} == {
        "status": "healthy",
        "critical": True,
        "duration_ms": 0,
        "reason": None,
    }
    assert body["components"]["cache"]["critical"] is False


async def test_without_its_database_a_server_is_alive_and_not_ready(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await server.context.store.engine.dispose()
        for file in tmp_path.glob("tallow.db*"):
            file.unlink()
        (tmp_path / "tallow.db").mkdir()  # SQLite cannot open a folder
        readiness = await server.http.get(READINESS)
        liveness = await server.http.get(LIVENESS)
    assert readiness.status_code == 503
    assert readiness.json()["failing"] == ["database"]
    assert str(tmp_path) not in readiness.text
    assert liveness.status_code == 200


@pytest.mark.slow
async def test_without_redis_a_single_server_is_degraded(tmp_path: Path) -> None:
    with listener() as closed:
        url = f"redis://:hunter2@127.0.0.1:{closed.getsockname()[1]}/0"
    async with serving(tmp_path, redis_url=url) as server:
        readiness, detailed = await server.http.get(READINESS), await server.http.get(DETAILED)
    assert (readiness.status_code, readiness.json()["degraded"]) == (200, ["cache"])
    assert "hunter2" not in detailed.text


@pytest.mark.slow
async def test_tallow_serve_reads_its_tokens_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    tokens = {"METRICS_TOKEN": TOKEN, "HEALTH_CHECK_TOKEN_FILE": str(tmp_path / "token")}
    async with tallow_serve(tmp_path, **tokens) as server:
        for path in ("/metrics", DETAILED):
            assert (await server.http.get(path)).status_code == 401
            answer: httpx.Response = await server.http.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
            assert answer.status_code == 200
