"""Log lines of all services have one form, and can be filtered and followed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tallow.stack.engines.logs.reader import LogFilter, LogTail, parse_line, parse_time, read_logs

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def ours(minute: int, level: str, message: str, **more: str) -> str:
    at = (NOON + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")
    return json.dumps({"timestamp": at, "level": level, "message": message, **more})


def write(folder: Path, service: str, *lines: str) -> None:
    (folder / f"{service}.log").write_text("".join(f"{line}\n" for line in lines))


def texts(folder: Path, wanted: LogFilter, *services: str) -> list[str]:
    return [line.text for line in read_logs(folder, services or ("tallow",), wanted)]


def test_lines_of_tallow_and_prometheus_have_one_form() -> None:
    own = parse_line("tallow", ours(0, "warning", "slow", correlation_id="c1", transfer_id="t1"))
    assert (own.timestamp, own.level, own.text, own.correlation_id) == (NOON, "warning", "slow", "c1")
    assert own.extra == {"transfer_id": "t1"}
    theirs = parse_line(
        "prometheus", '{"caller":"x.go:1","level":"warn","msg":"slow","ts":"2026-01-31T12:00:00.000Z"}'
    )
    assert (theirs.timestamp, theirs.level, theirs.text) == (NOON, "warning", "slow")


def test_a_traceback_takes_time_and_level_from_the_line_before(tmp_path: Path) -> None:
    write(
        tmp_path, "tallow", ours(0, "info", "fine"), ours(1, "error", "broken"), "Traceback ...", "  File x"
    )
    assert texts(tmp_path, LogFilter(level="error")) == ["broken", "Traceback ...", "  File x"]


@pytest.mark.parametrize(
    "line", ["{", "{}", "[1]", '{"level": 3, "ts": "never"}', "\x00\xff", '{"msg": null}']
)
def test_any_line_can_be_parsed(line: str) -> None:
    assert parse_line("tallow", line).raw == line


def test_a_level_filter_matches_that_level_and_worse(tmp_path: Path) -> None:
    levels = ("debug", "info", "warning", "error", "critical")
    write(tmp_path, "tallow", *(ours(n, level, level) for n, level in enumerate(levels)))
    assert texts(tmp_path, LogFilter(level="error")) == ["error", "critical"]
    assert texts(tmp_path, LogFilter(level="debug")) == list(levels)


def test_lines_are_filtered_by_correlation_id(tmp_path: Path) -> None:
    write(
        tmp_path, "tallow", ours(0, "info", "a", correlation_id="1"), ours(1, "info", "b", correlation_id="2")
    )
    assert texts(tmp_path, LogFilter(correlation_id="2")) == ["b"]


def test_lines_are_filtered_by_time(tmp_path: Path) -> None:
    write(tmp_path, "tallow", *(ours(minute, "info", str(minute)) for minute in range(5)))
    window = LogFilter(since=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=3))
    assert texts(tmp_path, window) == ["1", "2", "3"]


def test_services_and_rotated_files_are_merged_by_time(tmp_path: Path) -> None:
    write(tmp_path, "tallow", ours(3, "info", "third"))
    (tmp_path / "tallow.log.1").write_text(ours(1, "info", "first") + "\n")
    write(tmp_path, "prometheus", ours(2, "info", "second"))
    assert texts(tmp_path, LogFilter(), "tallow", "prometheus") == ["first", "second", "third"]


def test_relative_and_iso_times_are_parsed() -> None:
    assert parse_time("15m", NOON) == NOON - timedelta(minutes=15)
    assert parse_time("2d", NOON) == NOON - timedelta(days=2)
    assert parse_time("2026-01-31T12:00+00:00") == NOON
    with pytest.raises(ValueError, match="soon"):
        parse_time("soon")


def test_a_tail_returns_complete_lines_once_also_after_rotation(tmp_path: Path) -> None:
    log = tmp_path / "tallow.log"
    log.write_text("old\n")
    tail = LogTail(log)
    with log.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert tail.new_lines() == ["one"]
        file.write("o\n")
        file.flush()
    assert tail.new_lines() == ["two"]
    log.write_text("new\n")
    assert tail.new_lines() == ["new"]
    log.unlink()
    assert tail.new_lines() == []


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("ice", "the service started", False),
        ("ice", "ICE failed", True),
        ("redis", "redis.exceptions.TimeoutError", True),
        ("transfer started", "Transfer started", True),
        ("401", "status 4011", False),
        ("=failed", "outcome=failed", True),
        ("(", "f(x)", True),
    ],
)
def test_grep_finds_whole_words(tmp_path: Path, text: str, line: str, found: bool) -> None:
    write(tmp_path, "tallow", ours(1, "info", line))
    assert texts(tmp_path, LogFilter(text=text)) == ([line] if found else [])


def test_lines_are_selected_by_logger(tmp_path: Path) -> None:
    write(tmp_path, "tallow", ours(1, "info", "a", logger="security"), ours(2, "info", "b", logger="api"))
    assert texts(tmp_path, LogFilter(logger="security")) == ["a"]
