"""The canary test: secrets of every kind planted in every hole, every exit searched, and nothing found.

Taking any one hook out makes the search find something: each is needed, and the search sees what it should.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from support import hook_removal
from support.captured_outputs import CapturedOutputs, capture_attack, captured_outputs

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


async def test_no_exit_of_an_application_holds_a_secret_and_the_useful_parts_are_there(
    tmp_path: Path,
) -> None:
    with captured_outputs(tmp_path) as came:
        await capture_attack(came)
        assert came.find_leaks() == {}
        useful(came)


def useful(came: CapturedOutputs) -> None:
    """What an operator needs is still there."""
    assert (came.sentry.rejections, came.plausible.rejections, came.collector.rejections) == ([], [], [])
    records = came.collector.records
    messages = {record["message"] for record in records}
    assert {
        "Everything is fine",
        "Somebody wrote: it is [email] again",
        "Transfer noted",
        "Failed",
    } <= messages
    assert any(record["logger"] == "uvicorn.access" for record in records)
    (noted,) = [record for record in records if record["message"] == "Transfer noted"]
    assert (noted["method"], noted["password"], noted["room_code"]) == ("p2p", "[secret]", "[room_code]")
    failed = next(record for record in records if record["message"] == "Failed")
    assert "leaky_app.py" in failed["error"]["stack"]
    written = [orjson.loads(line) for line in (came.folder / "log" / "shop.log").read_bytes().splitlines()]
    assert len(written) == len(records)
    assert came.plausible.names.count("order_placed") == 1
    kinds = {kind for kind, _ in came.sentry.items}
    assert {"event", "transaction", "log", "trace_metric", "check_in", "client_report"} <= kinds
    assert {"attachment", "profile", "session"}.isdisjoint(kinds)
    assert 'tallow_transfers_total{status="success",method="p2p"} 1' in came.outputs["/metrics"].decode()
    assert b"the queue of [email] is full" in came.outputs["health"]


@pytest.mark.parametrize("hook", hook_removal.HOOKS)
async def test_without_any_one_hook_something_is_found(tmp_path: Path, hook: str) -> None:
    with captured_outputs(tmp_path) as came:
        await capture_attack(came, hook)
        assert came.find_leaks()
