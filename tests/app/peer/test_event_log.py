"""The logs of both sides: one correlation id, the same events, no names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from support.transfers.peers import receive, send, transfer_files
from support.transfers.server import RunningServer
from tallow.monitoring.testing import assert_absent, captured_logs

NAME = "canary tax return.pdf"


async def test_sender_server_and_receiver_share_one_id(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(os.urandom(300_000))
    with captured_logs("info") as logs:
        sender, _ = await transfer_files(server.url, [tmp_path / NAME], tmp_path / "received")
        await server.wait_for_value("transfers_total", 1, status="success", method="relay")
    entries = [(one.get("role", "server"), one["message"]) for one in logs.from_loggers("transfer")]
    for side in ("sender", "receiver"):
        messages = [message for role, message in entries if role == side]
        assert messages[-2:] == ["Connected", "Transfer finished"]
    assert [message for role, message in entries if role == "server"] == [
        "Metadata cleaned",  # by the sender, before its transfer has an id
        "Transfer started",
        "Transfer finished",
    ]
    shared = [
        one for one in logs.from_loggers("transfer", "connection") if one["message"] != "Metadata cleaned"
    ]
    ids = {one["correlation_id"] for one in shared}
    assert len(ids) == 1
    exposition = await server.http.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert f'"{ids.pop()}"' in exposition.text
    assert_absent([NAME, sender.link.text.rpartition(".")[2], sender.link.room], logs.text)


async def test_a_failure_is_logged_by_its_class(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"x" * 1000)
    with captured_logs("info") as logs:
        sender = await send(server.url, [tmp_path / NAME])
        await sender.wait_for_event("waiting")
        wrong = receive(sender.link.__class__(server.url, "a" * 16, os.urandom(16)), tmp_path / "received")
        assert await wrong.wait_for_error() is not None
        sender.task.cancel()
        await sender.wait_for_error()
    finished = {
        one["role"]: one for one in logs.from_loggers("transfer") if one["message"] == "Transfer finished"
    }
    assert finished["receiver"]["outcome"] == "failed"
    assert (finished["receiver"]["error_type"], finished["receiver"]["level"]) == ("auth", "warning")
    assert finished["sender"]["outcome"] == "cancelled"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("log_file", "expected"), [("peer.log", "no such file"), ("/dev/null/x", "LOG_FILE is")]
)
def test_standard_output_has_only_events(tmp_path: Path, log_file: str, expected: str) -> None:
    own = {"XDG_STATE_HOME": str(tmp_path), "LOG_LEVEL": "debug", "LOG_FILE": str(tmp_path / log_file)}
    done = subprocess.run(
        [sys.executable, "-m", "tallow", "send", str(tmp_path / "nothing"), "--json"],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    first, last = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert (first["event"], last["outcome"], done.returncode) == ("error", "failed", 1)
    assert expected in first["message"]
    assert done.stderr == ""
