"""The fake log endpoint checks a push as Loki does."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tallow.monitoring.testing import FakeLogEndpoint, log_endpoint

NOW = 1_767_323_045_678_000_000
STREAM = {"stream": {"service_name": "shop"}, "values": [[str(NOW), '{"message": "a"}', {"level": "info"}]]}


def post(endpoint: FakeLogEndpoint, body: Any, **headers: str) -> httpx.Response:
    own = {"X-Batch-ID": "1", "Content-Type": "application/json"}
    return httpx.post(f"{endpoint.url}/loki/api/v1/push", json=body, headers=own | headers, trust_env=False)


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    stream = copy.deepcopy(STREAM)
    change(stream)
    return {"streams": [stream]}


REJECTED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no labels": lambda one: one["stream"].clear(),
    "an empty label": lambda one: one["stream"].update(service_name=""),
    "a label that is no string": lambda one: one["stream"].update(service_name=1),
    "a label name with a dot": lambda one: one["stream"].update({"service.name": "a"}),
    "a label name outside of ASCII": lambda one: one["stream"].update({"größe": "a"}),
    "a reserved label name": lambda one: one["stream"].update(__name__="a"),
    "too many labels": lambda one: one["stream"].update({f"l{n}": "a" for n in range(15)}),
    "no values": lambda one: one.pop("values"),
    "a time as number": lambda one: one["values"][0].__setitem__(0, NOW),
    "a time in seconds": lambda one: one["values"][0].__setitem__(0, "1767323045"),
    "a line that is no string": lambda one: one["values"][0].__setitem__(1, {"message": "a"}),
    "metadata as a list": lambda one: one["values"][0].__setitem__(2, [["level", "info"]]),
    "metadata with a number": lambda one: one["values"][0].__setitem__(2, {"status": 200}),
    "four parts": lambda one: one["values"][0].append({}),
}


@pytest.mark.parametrize("change", REJECTED.values(), ids=REJECTED)
def test_a_push_that_loki_cannot_use_is_rejected_whole(change: Callable[[dict[str, Any]], object]) -> None:
    with log_endpoint() as endpoint:
        assert post(endpoint, changed(change)).status_code == 400
        assert (endpoint.entries, endpoint.records) == ([], [])


@pytest.mark.parametrize(("tenant", "status"), [("", 401), ("a|b", 400), ("..", 400), ("shop", 204)])
def test_a_multi_tenant_endpoint_needs_the_id_of_one_tenant(tenant: str, status: int) -> None:
    with log_endpoint(multi_tenant=True) as endpoint:
        headers = {"X-Scope-OrgID": tenant} if tenant else {}
        assert post(endpoint, {"streams": [STREAM]}, **headers).status_code == status


def test_equal_lines_with_equal_times_are_stored_once() -> None:
    body = changed(lambda one: one["values"].append(one["values"][0]))
    with log_endpoint() as endpoint:
        assert post(endpoint, body).status_code == 204
        assert [entry.metadata for entry in endpoint.entries] == [{"level": "info"}]


def test_a_line_of_another_stream_may_be_older() -> None:
    old = [str(NOW - 2 * 3600 * 10**9), json.dumps({"message": "old"})]
    other = {"stream": {"service_name": "other"}, "values": [old]}
    with log_endpoint() as endpoint:
        assert post(endpoint, {"streams": [STREAM, other]}).status_code == 204
        behind = post(endpoint, {"streams": [{**STREAM, "values": [old]}]})
        assert behind.status_code == 400
        assert behind.text.endswith('total ignored: 1 out of 1 for stream: {service_name="shop"}')
        assert endpoint.messages == ["a", "old"]
