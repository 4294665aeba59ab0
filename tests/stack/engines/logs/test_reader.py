"""Lines of every service in one form, filtered and followed."""

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


def test_tallows_and_prometheus_lines_are_read_alike() -> None:
    own = parse_line("tallow", ours(0, "warning", "slow", correlation_id="c1", transfer_id="t1"))
    assert (own.timestamp, own.level, own.text, own.correlation_id) == (NOON, "warning", "slow", "c1")
    assert own.extra == {"transfer_id": "t1"}
    theirs = parse_line(
        "prometheus", '{"caller":"x.go:1","level":"warn","msg":"slow","ts":"2026-01-31T12:00:00.000Z"}'
    )
    assert (theirs.timestamp, theirs.level, theirs.text) == (NOON, "warning", "slow")


def test_a_traceback_belongs_to_the_line_before_it(tmp_path: Path) -> None:
    write(
        tmp_path, "tallow", ours(0, "info", "fine"), ours(1, "error", "broken"), "Traceback ...", "  File x"
    )
    assert texts(tmp_path, LogFilter(level="error")) == ["broken", "Traceback ...", "  File x"]


@pytest.mark.parametrize(
    "line", ["{", "{}", "[1]", '{"level": 3, "ts": "never"}', "\x00\xff", '{"msg": null}']
)
def test_a_line_of_any_kind_is_read(line: str) -> None:
    assert parse_line("tallow", line).raw == line


def test_levels_let_their_own_and_worse_pass(tmp_path: Path) -> None:
    levels = ("debug", "info", "warning", "error", "critical")
    write(tmp_path, "tallow", *(ours(n, level, level) for n, level in enumerate(levels)))
    assert texts(tmp_path, LogFilter(level="error")) == ["error", "critical"]
    assert texts(tmp_path, LogFilter(level="debug")) == list(levels)


def test_one_request_is_found_by_its_correlation_id(tmp_path: Path) -> None:
    write(
        tmp_path, "tallow", ours(0, "info", "a", correlation_id="1"), ours(1, "info", "b", correlation_id="2")
    )
    assert texts(tmp_path, LogFilter(correlation_id="2")) == ["b"]


def test_times_bound_what_is_shown(tmp_path: Path) -> None:
    write(tmp_path, "tallow", *(ours(minute, "info", str(minute)) for minute in range(5)))
    window = LogFilter(since=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=3))
    assert texts(tmp_path, window) == ["1", "2", "3"]


def test_services_are_merged_by_time_and_older_files_come_first(tmp_path: Path) -> None:
    write(tmp_path, "tallow", ours(3, "info", "third"))
    (tmp_path / "tallow.log.1").write_text(ours(1, "info", "first") + "\n")
    write(tmp_path, "prometheus", ours(2, "info", "second"))
    assert texts(tmp_path, LogFilter(), "tallow", "prometheus") == ["first", "second", "third"]


def test_times_are_written_as_people_write_them() -> None:
    assert parse_time("15m", NOON) == NOON - timedelta(minutes=15)
    assert parse_time("2d", NOON) == NOON - timedelta(days=2)
    assert parse_time("2026-01-31T12:00+00:00") == NOON
    with pytest.raises(ValueError, match="soon"):
        parse_time("soon")


def test_a_tail_yields_whole_lines_once_and_survives_rotation(tmp_path: Path) -> None:
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
