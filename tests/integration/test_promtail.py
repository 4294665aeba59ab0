"""A real Promtail with the committed configuration. What it shares with the Collector: test_log_shipping.py.

Loki is a stand-in that keeps what Loki would store. Only addresses and folders differ from the container's.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import orjson
import pytest

from support.log_shippers import Promtail
from support.loki_endpoint import LokiEndpoint
from support.programs.go_modules import PROMTAIL, go_program
from support.shipped_lines import ID, arrived
from support.stack import wait_until
from support.transfers.server import tallow_serve
from tallow.monitoring.testing.fake_backend import running
from tallow.stack.log_pipeline import METADATA

pytestmark = [pytest.mark.proof, pytest.mark.integration]

COMMITTED = Path(__file__).parents[2] / "monitoring" / "promtail" / "promtail.yml"


def test_the_committed_file_is_valid() -> None:
    done = subprocess.run(
        [go_program(PROMTAIL), "-check-syntax", f"-config.file={COMMITTED}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Valid config file" in done.stdout + done.stderr


async def test_the_lines_of_a_server_arrive_with_their_fields(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with running(LokiEndpoint()) as loki:
        promtail = Promtail(tmp_path, loki.url)
        async with tallow_serve(data, LOG_FILE=str(promtail.log), ENVIRONMENT="test") as server:
            with promtail.started():
                answer = await server.http.get("/no-such-page", headers={"x-request-id": ID})
                assert answer.status_code == 404
                wait_until(lambda: ID.encode() in promtail.log.read_bytes(), "the request is logged")
                arrived(loki, *promtail.log.read_bytes().splitlines(keepends=True))
    assert any(entry.metadata.get("correlation_id") == ID for entry in loki.entries)
    for entry in loki.entries:
        fields = orjson.loads(entry.line)
        assert entry.labels == {"service_name": fields["service"], "environment": fields["environment"]}
        assert entry.metadata == {name: fields[name] for name in METADATA if fields.get(name)}
