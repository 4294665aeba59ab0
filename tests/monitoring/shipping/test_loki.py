"""Loki: order and number of lines, partial rejections, structured metadata, headers, tenant, refusals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tallow.monitoring.metrics import Metrics
from tallow.monitoring.shipping import Shipper
from tallow.monitoring.shipping.batch import Batch
from tallow.monitoring.shipping.line_numbers import LineNumbers
from tallow.monitoring.shipping.loki import rejected_line_count
from tallow.monitoring.testing import FakeLogEndpoint, log_endpoint
from tallow.monitoring.testing.loki_rules import LokiEntry

Start = Callable[..., Shipper]
STAMP = "2026-01-02T03:04:05.678Z"
NANOSECONDS = 1_767_323_045_678_000_000


def line(message: object, stamp: str = STAMP, **fields: Any) -> bytes:
    record = {"timestamp": stamp, "level": "info", "service": "shop", "environment": "test"}
    return orjson.dumps(record | {"message": str(message)} | fields, option=orjson.OPT_APPEND_NEWLINE)


def dropped(metrics: Metrics, reason: str = "rejected") -> float:
    return metrics.registry.value("telemetry_dropped_total", pipeline="logs", reason=reason)


def by_time(remote: FakeLogEndpoint) -> list[LokiEntry]:
    return sorted(remote.entries, key=lambda entry: entry.nanoseconds)


def messages(entries: list[LokiEntry]) -> list[str]:
    return [orjson.loads(entry.line)["message"] for entry in entries]


def finish(shipper: Shipper) -> None:
    shipper.close(time.monotonic() + 5)


def test_lines_of_one_millisecond_keep_their_order_across_batches(
    start: Start, remote: FakeLogEndpoint
) -> None:
    shipper = start()
    shipper.write([line(number) for number in range(35)])
    finish(shipper)
    entries = by_time(remote)
    assert messages(entries) == [str(number) for number in range(35)]
    assert {entry.nanoseconds // 10**6 for entry in entries} == {NANOSECONDS // 10**6}
    assert len({entry.nanoseconds for entry in entries}) == 35


def test_equal_lines_of_one_millisecond_keep_their_number(start: Start, remote: FakeLogEndpoint) -> None:
    for _process in range(2):  # a process and its successor
        shipper = start()
        shipper.write([line("again")] * 25)
        finish(shipper)
    assert len(remote.entries) == 50


def test_a_spooled_line_that_is_repeated_by_the_next_process_is_stored_once(
    start: Start, remote: FakeLogEndpoint, tmp_path: Path
) -> None:
    """The endpoint stored the batch, and its response was lost."""
    remote.fail(status=503)
    first = start(log_spool_dir=tmp_path)
    first.write([line(number) for number in range(15)])
    finish(first)
    names = [file.name for file in tmp_path.iterdir()]
    remote.recover()
    for _process in range(2):
        kept = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        finish(start(log_spool_dir=tmp_path))
        shipper = start(log_spool_dir=tmp_path)
        shipper.write([line("wake")])
        finish(shipper)
        for name, content in kept.items():
            if name in names:
                (tmp_path / name).write_bytes(content)
    spooled = [one for one in messages(by_time(remote)) if one != "wake"]
    assert spooled == [str(number) for number in range(15)]


def test_numbers_start_again_with_a_new_millisecond_and_grow_within_one() -> None:
    numbers = LineNumbers(start=5)
    old, new = line("a"), line("b", "2026-01-02T03:04:05.679Z")
    assert [numbers.take(lines) for lines in ([old, old], [old], [new], [old], [new])] == [5, 7, 5, 6, 7]


def test_a_line_without_a_time_does_not_reset_the_numbers() -> None:
    numbers = LineNumbers(start=0)
    assert [numbers.take(lines) for lines in ([line("a")], [b"{}\n"], [line("a")])] == [0, 1, 2]


def test_level_and_correlation_id_are_structured_metadata_and_no_labels(
    start: Start, remote: FakeLogEndpoint
) -> None:
    shipper = start()
    shipper.write([line("a", correlation_id="ab" * 16, level="error", trace_id="cd" * 16), line("b")])
    finish(shipper)
    first, second = by_time(remote)
    assert first.labels == second.labels == (("environment", "test"), ("service_name", "shop"))
    assert first.metadata == {"level": "error", "correlation_id": "ab" * 16, "trace_id": "cd" * 16}
    assert second.metadata == {"level": "info"}
    assert remote.rejections == []


def test_a_line_without_service_and_environment_has_a_label() -> None:
    record = orjson.dumps({"timestamp": STAMP, "message": "a", "service": "", "environment": None})
    [stream] = orjson.loads(Batch([record]).as_loki())["streams"]
    assert stream["stream"] == {"service_name": "unknown_service"}


def test_pushes_are_compressed(start: Start, remote: FakeLogEndpoint) -> None:
    shipper = start()
    shipper.write([line("a")])
    finish(shipper)
    assert remote.requests[0].headers["content-encoding"] == "gzip"


@pytest.fixture
def strict() -> Iterator[FakeLogEndpoint]:
    with log_endpoint(multi_tenant=True, max_line_bytes=1000, max_age_s=7e8) as endpoint:
        yield endpoint


@pytest.mark.parametrize("bad", [1, 3])
@pytest.mark.parametrize(
    "refused",
    [
        {"message": "x" * 2000},
        {"stamp": "2002-01-02T03:04:05.678Z", "message": "old"},
        {"stamp": "2026-01-01T03:04:05.678Z", "message": "far behind"},
        {"stamp": "2099-01-01T03:04:05.678Z", "message": "future"},
    ],
    ids=["too long", "too old", "too far behind", "in the future"],
)
def test_of_a_partly_rejected_push_only_refused_lines_are_lost(
    start: Start, strict: FakeLogEndpoint, metrics: Metrics, bad: int, refused: dict[str, str]
) -> None:
    shipper = start(log_endpoint=strict.url, log_endpoint_tenant="shop")
    shipper.write([line(number) for number in range(5)] + [line(**refused)] * bad + [line("last")])
    finish(shipper)
    assert strict.messages == [*map(str, range(5)), "last"]
    assert dropped(metrics) == bad
    assert len(strict.rejections) == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("entry with timestamp 2026 ignored, reason: 'entry out of order',\ntotal ignored: 3 out of 9", 3),
        ("entry with timestamp 2026 ignored, reason: 'entry too far behind'", 1),
        ("user 'a', total ignored: 1 out of 2 for stream: {a}; total ignored: 2 out of 3 for stream: {b}", 3),
        ("Max entry size '262144' bytes exceeded for stream '{a=\"b\"}' while adding an entry", 1),
        (
            "2 errors like: entry for stream 'a' has timestamp too old: 1; Max entry size '9' bytes exceeded",
            3,
        ),
        ("entry for stream '{a}' has 20 label names; limit 15", 10),
        ("stream '{a}' includes structured metadata, but this feature is disallowed", 10),
        ("total ignored: 99 out of 99", 10),
        ("total ignored: 0 out of 10", 10),
        ("", 10),
        ("<html>Bad request</html>", 10),
    ],
)
def test_the_text_of_a_rejection_tells_how_many_lines_it_concerns(text: str, count: int) -> None:
    assert rejected_line_count(text, 10) == count


@pytest.mark.parametrize("kind", ["loki", "http"])
def test_headers_and_tenant_are_sent_and_own_settings_precede(
    start: Start, remote: FakeLogEndpoint, kind: str
) -> None:
    shipper = start(
        log_endpoint_kind=kind,
        log_endpoint_headers="X-Team=web,Authorization=Basic%20abc,X-Scope-OrgID=other",
        log_endpoint_token="a-token-long-enough",
        log_endpoint_tenant="shop",
    )
    shipper.write([line("a")])
    finish(shipper)
    sent = remote.requests[0].headers
    assert (sent["x-team"], sent["x-scope-orgid"]) == ("web", "shop")
    assert sent["authorization"] == "Bearer a-token-long-enough"
    assert remote.messages == ["a"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 302])
def test_a_refusal_that_will_not_change_is_reported_once_on_standard_error(
    start: Start, remote: FakeLogEndpoint, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    remote.fail(status=status)
    shipper = start(log_endpoint=remote.url.replace("//", "//user:hunter2@"))
    shipper.write([line(number) for number in range(25)])
    remote.wait_for_requests(3)
    finish(shipper)
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert printed.startswith(
        f"tallow: {remote.url}/loki/api/v1/push answers {status}, so log lines do not arrive"
    )
    assert "hunter2" not in printed


def test_lines_of_a_refused_push_are_counted(start: Start, remote: FakeLogEndpoint, metrics: Metrics) -> None:
    remote.fail(status=400)
    shipper = start()
    shipper.write([line(number) for number in range(25)])
    finish(shipper)
    assert dropped(metrics) == 25


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_a_failure_that_passes_is_not_reported(
    start: Start, remote: FakeLogEndpoint, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    remote.fail(status=status, times=2)
    shipper = start()
    shipper.write([line("a")])
    assert remote.wait_for(1) == ["a"]
    assert capsys.readouterr().err == ""


def test_a_rejection_after_accepted_lines_is_not_reported(
    start: Start, remote: FakeLogEndpoint, metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    shipper = start()
    shipper.write([line("a")])
    remote.wait_for(1)
    remote.fail(status=400)
    shipper.write([line("b")])
    finish(shipper)
    assert dropped(metrics) == 1
    assert capsys.readouterr().err == ""
