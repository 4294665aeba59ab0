"""Two applications with different prefixes, each in its process and both in one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

TOKENS = {"A": "token-of-application-a", "B": "token-of-application-b"}
ENVIRONMENT = {
    "A_LOG_LEVEL": "error",
    "B_LOG_LEVEL": "debug",
    "TALLOW_LOG_LEVEL": "fatal",
    "A_METRICS_TOKEN": TOKENS["A"],
    "B_METRICS_TOKEN": TOKENS["B"],
    "LOG_LEVEL": "20",
    "LOG_FORMAT": "%(message)s",
    "ENVIRONMENT": "Production (EU)",
    "SERVICE_NAME": "shared",
}
"""What both processes have: their own variables, and unusable ones of other programs."""

PROGRAM = """
import asyncio, json, sys
from tallow.monitoring import Monitoring
from tallow.monitoring.logging import configure
from tallow.monitoring.settings import current_settings

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})

async def metrics(app, token):
    sent = []
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        sent.append(message)
    headers = [(b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/metrics", "client": ("192.0.2.1", 1)}
    await app({**scope, "headers": headers}, receive, send)
    return sent[0]["status"]

async def main():
    for prefix in sys.argv[1].split(","):
        opened = Monitoring(env_prefix=f"{prefix}_", namespace=prefix.lower())
        instrumented = opened.instrument(app)
        found = {token[-1]: await metrics(instrumented, token) for token in sys.argv[2:]}
        settings = current_settings()
        print(json.dumps({"level": settings.log_level, "format": settings.log_format, "metrics": found,
            "service": settings.service_name, "ignored": sorted(settings.ignored)}), file=sys.stderr)

asyncio.run(main())
"""


def run(prefixes: str, folder: Path, **variables: str) -> list[dict[str, Any]]:
    """What each application of a process sees."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, prefixes, *TOKENS.values()],
        check=False,
        capture_output=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **ENVIRONMENT, **variables},
    )
    assert done.returncode == 0, done.stderr
    return [orjson.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize(("prefix", "level", "other"), [("A", "error", "B"), ("B", "debug", "A")])
def test_each_process_has_the_settings_of_its_application(
    prefix: str, level: str, other: str, tmp_path: Path
) -> None:
    (seen,) = run(prefix, tmp_path)
    assert seen["level"] == level
    assert seen["metrics"] == {prefix.lower(): 200, other.lower(): 401}
    assert seen["service"] == "shared"
    assert seen["format"] == "auto"
    assert seen["ignored"] == ["ENVIRONMENT", "LOG_FORMAT"]  # LOG_LEVEL is not needed


def test_in_one_process_the_first_decides_and_each_has_its_own_endpoints(tmp_path: Path) -> None:
    first, second = run("A,B", tmp_path)
    assert (first["level"], second["level"]) == ("error", "error")
    assert first["metrics"] == {"a": 200, "b": 401}
    assert second["metrics"] == {"a": 401, "b": 200}


@pytest.mark.parametrize("prefix", ["A", "B"])
def test_an_unusable_variable_with_the_prefix_is_an_error_of_that_application_alone(
    prefix: str, tmp_path: Path
) -> None:
    (seen,) = run(prefix, tmp_path, C_LOG_LEVEL="20", TALLOW_LOG_LEVEL="20")
    assert seen["metrics"][prefix.lower()] == 200
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, prefix],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **ENVIRONMENT, f"{prefix}_LOG_LEVEL": "20"},
    )
    assert done.stderr.splitlines()[-1].endswith(
        f"{prefix}_LOG_LEVEL is '20'; accepted: debug, info, warning, error or fatal"
    )
