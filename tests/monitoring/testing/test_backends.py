"""The fake backends accept and reject what the originals do, and fail on demand."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

import tallow
from tallow.monitoring.testing import (
    FailureMode,
    log_endpoint,
    plausible_endpoint,
    sentry_endpoint,
)

BATCH = {"X-Batch-ID": "1", "Content-Type": "application/json"}
EVENT = {"domain": "example.org", "name": "goal", "url": "https://example.org/"}
AGENT = {"User-Agent": "test", "Content-Type": "application/json"}
STREAM = {"stream": {"level": "info"}, "values": [["1" * 19, '{"message": "hello"}']]}


def test_a_log_endpoint_stores_pushes_and_lines() -> None:
    with log_endpoint() as endpoint:
        push = httpx.post(f"{endpoint.url}/loki/api/v1/push", json={"streams": [STREAM]}, headers=BATCH)
        plain = httpx.post(
            endpoint.url,
            content=b'{"message": "again"}\n',
            headers={"X-Batch-ID": "2", "Content-Type": "application/x-ndjson"},
        )
        assert (push.status_code, plain.status_code) == (204, 204)
        assert endpoint.wait_for(2) == ["hello", "again"]
        assert endpoint.rejections == []


@pytest.mark.parametrize(
    "body",
    [
        {"lines": []},
        {"streams": [{"stream": {}, "values": []}]},
        {"streams": [{**STREAM, "stream": {"0level": "info"}}]},
        {"streams": [{**STREAM, "values": [["12", "{}"]]}]},
        {"streams": [{**STREAM, "values": [["1" * 19, "no JSON"]]}]},
    ],
)
def test_a_log_endpoint_rejects_what_loki_rejects(body: Any) -> None:
    with log_endpoint() as endpoint:
        answer = httpx.post(f"{endpoint.url}/loki/api/v1/push", json=body, headers=BATCH)
        assert (answer.status_code, len(endpoint.rejections), endpoint.batches) == (400, 1, [])


@pytest.mark.parametrize(
    ("change", "headers"),
    [
        ({}, {"User-Agent": ""}),
        ({}, {"Cookie": "a=b"}),
        ({"name": ""}, {}),
        ({"url": "http://example.org"}, {}),
        ({"props": {"count": 3}}, {}),
        ({"visitor": "alice"}, {}),
    ],
)
def test_the_fake_plausible_rejects_what_the_original_rejects(change: Any, headers: dict[str, str]) -> None:
    with plausible_endpoint() as plausible:
        good = httpx.post(f"{plausible.url}/api/event", json=EVENT, headers=AGENT)
        bad = httpx.post(f"{plausible.url}/api/event", json=EVENT | change, headers=AGENT | headers)
        assert (good.status_code, bad.status_code) == (202, 400)
        assert plausible.names == ["goal"]


@pytest.mark.parametrize(
    "body",
    [
        b'{}\n{"type":"event"}\n{}',
        b'{}\n{"type":"event","length":99}\n{}',
        b'{}\n{"type":"event","length":2}\n{}',
        b'{}\n{"type":"unheard_of","length":2}\n{}',
        b'{"event_id":"short"}\n',
        b"[]\n",
        b'{}\n{"type":"log","item_count":2,"length":12}\n{"items":[]}',
    ],
)
def test_the_fake_sentry_rejects_what_the_original_rejects(body: bytes) -> None:
    with sentry_endpoint() as sentry:
        auth = {"X-Sentry-Auth": f"Sentry sentry_key={sentry.dsn[7:39]}, sentry_version=7"}
        answer = httpx.post(f"{sentry.url}/api/7/envelope/", content=body, headers=auth)
        assert (answer.status_code, sentry.items, len(sentry.rejections)) == (400, [], 1)
        assert httpx.post(f"{sentry.url}/api/7/envelope/", content=b"{}\n").status_code == 400


def test_a_backend_fails_on_demand_and_recovers() -> None:
    with plausible_endpoint() as plausible, httpx.Client(timeout=5) as client:

        def post() -> httpx.Response:
            return client.post(f"{plausible.url}/api/event", json=EVENT, headers=AGENT)

        plausible.fail(status=429, headers={"Retry-After": "7"}, times=1)
        assert post().headers["retry-after"] == "7"
        assert post().status_code == 202
        for failure in ({"garbage": True}, {"cut": "reset"}, {"cut": "half"}):
            plausible.fail(**failure)
            with pytest.raises(httpx.TransportError):
                post()
        plausible.fail(delay_s=0.1)
        started = time.monotonic()
        assert post().status_code == 202
        assert time.monotonic() - started >= 0.1
        plausible.recover()
        assert post().status_code == 202
        assert (len(plausible.requests), len(plausible.events)) == (7, 3)


def test_the_error_of_a_timeout_tells_what_was_received() -> None:
    with plausible_endpoint() as plausible:
        httpx.post(f"{plausible.url}/api/event", json={}, headers=AGENT)
        with pytest.raises(AssertionError, match=r"2 requests: not within .* 1 requests received, rejected"):
            plausible.wait_for_requests(2, timeout_s=0.05)


def test_an_unknown_failure_mode_is_rejected() -> None:
    with pytest.raises(ValueError, match="cut is 'off'; accepted: reset or half"):
        FailureMode(cut="off")


@pytest.mark.slow
def test_production_code_does_not_import_the_testing_package() -> None:
    source = Path(tallow.__file__).parent
    for path in source.rglob("*.py"):
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.startswith("tallow.monitoring.testing") for name in names), path


def test_the_testing_package_needs_no_pytest_and_no_sentry_sdk() -> None:
    code = "import tallow.monitoring.testing, sys, json; print(json.dumps(sorted(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"pytest", "_pytest", "sentry_sdk", "starlette"} & set(json.loads(shown.stdout))
