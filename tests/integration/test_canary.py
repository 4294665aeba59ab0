"""The canary test: plants secrets of every kind in every input, and searches every output for them.

Removing any one scrubbing hook must make the search find a secret: each hook is needed, and the search works.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from support.privacy import hook_removal
from support.privacy.captured_outputs import CapturedOutputs, capture_attack, captured_outputs
from tallow.monitoring.lifecycle import delivery_notice

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


async def test_no_output_of_an_application_contains_a_secret(
    tmp_path: Path,
) -> None:
    with captured_outputs(tmp_path) as captured:
        await capture_attack(captured)
        assert captured.find_leaks() == {}
        check_useful_parts(captured)


def check_useful_parts(captured: CapturedOutputs) -> None:
    """Check that the outputs still contain what an operator needs."""
    assert (captured.sentry.rejections, captured.plausible.rejections, captured.collector.rejections) == (
        [],
        [],
        [],
    )
    check_records(captured)
    assert captured.plausible.names.count("order_placed") == 1
    kinds = {kind for kind, _ in captured.sentry.items}
    assert {"event", "transaction", "log", "trace_metric", "check_in", "client_report"} <= kinds
    assert {"attachment", "profile", "session"}.isdisjoint(kinds)
    assert 'app_transfers_total{status="success",method="p2p"} 1' in captured.outputs["/metrics"].decode()
    assert b"the queue of [email] is full" in captured.outputs["health"]


def check_records(captured: CapturedOutputs) -> None:
    """Check that the log file has every record, and what was sent or kept is the same."""
    records = [*captured.collector.records, *unsent_records(captured.folder / "spool")]
    messages = {record["message"] for record in records}
    assert {
        "Everything is fine",
        "Somebody wrote: it is [email] again",
        "Transfer noted",
        "Failed",
    } <= messages
    assert any(record["logger"] == "uvicorn.access" for record in records)
    noted = next(record for record in records if record["message"] == "Transfer noted")
    assert (noted["method"], noted["password"], noted["room_code"]) == ("p2p", "[secret]", "[room_code]")
    failed = next(record for record in records if record["message"] == "Failed")
    assert "leaky_app.py" in failed["error"]["stack"]
    written = [
        orjson.loads(line) for line in (captured.folder / "log" / "shop.log").read_bytes().splitlines()
    ]
    assert distinct(written) == distinct(records)


def distinct(records: list[dict[str, Any]]) -> set[bytes]:
    """The different records: of equal ones Loki keeps one, and a batch may be both sent and kept.

    The notice that lines arrive again may be written when nothing more is sent.
    """
    kept = (record for record in records if record["logger"] != delivery_notice.__name__)
    return {orjson.dumps(record, option=orjson.OPT_SORT_KEYS) for record in kept}


def unsent_records(spool: Path) -> list[dict[str, Any]]:
    """The lines kept for the next start: a loaded machine sends only a part of them within the time limit."""
    lines = [line for file in spool.glob("[0-9]*.jsonl") for line in file.read_bytes().splitlines()]
    return [orjson.loads(line) for line in lines]


QUICK = {"log messages", "metric labels", "health", "analytics", "Sentry transport", "before_send"}
"""The hooks of each output that scripts/test removes; scripts/proof removes the others, too."""


@pytest.mark.parametrize(
    "hook",
    [pytest.param(hook, marks=() if hook in QUICK else pytest.mark.proof) for hook in hook_removal.HOOKS],
)
async def test_a_removed_hook_leaks_a_secret(tmp_path: Path, hook: str) -> None:
    with captured_outputs(tmp_path) as captured:
        await capture_attack(captured, hook)
        assert captured.find_leaks()
