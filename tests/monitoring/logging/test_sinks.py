"""Streams and files: appending, rotation, several processes, a full disk, a broken pipe."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tallow.monitoring.logging.console import ConsoleRenderer
from tallow.monitoring.logging.sinks import FileSink, StreamSink
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


def failed(metrics: Metrics) -> float:
    return metrics.registry.value("telemetry_dropped_total", pipeline="logs", reason="failed")


def test_a_file_is_appended_to_and_private(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "tallow.log"
    for text in (b"one\n", b"two\n"):
        sink = FileSink(path)
        sink.write([text])
        sink.close(0)
    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_full_file_is_rotated_between_lines_and_the_oldest_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "tallow.log"
    sink = FileSink(path, max_bytes=40, backup_count=2)
    for number in range(20):
        sink.write([b"line %04d\n" % number])
    files = sorted(tmp_path.glob("tallow.log*"))
    assert [file.name for file in files] == ["tallow.log", "tallow.log.1", "tallow.log.2"]
    together = b"".join(file.read_bytes() for file in reversed(files))
    assert together == b"".join(b"line %04d\n" % number for number in range(8, 20))


def test_a_burst_larger_than_a_file_is_written_to_several(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "tallow.log", max_bytes=100, backup_count=50)
    sink.write([b"line %04d\n" % number for number in range(100)])
    files = list(tmp_path.glob("tallow.log*"))
    assert len(files) == 10
    assert all(file.stat().st_size <= 100 for file in files)


def test_a_moved_or_deleted_file_is_created_again(tmp_path: Path) -> None:
    path = tmp_path / "tallow.log"
    sink = FileSink(path)
    sink.write([b"one\n"])
    path.rename(tmp_path / "moved")
    sink.write([b"two\n"])
    path.unlink()
    sink.write([b"three\n"])
    assert path.read_bytes() == b"three\n"
    assert (tmp_path / "moved").read_bytes() == b"one\n"


@pytest.mark.slow
def test_processes_that_share_a_file_lose_no_line_at_rotation(tmp_path: Path) -> None:
    path = tmp_path / "tallow.log"
    script = """if True:
        import sys
        from pathlib import Path
        from tallow.monitoring.logging.sinks import FileSink
        sink = FileSink(Path(sys.argv[1]), max_bytes=2_000, backup_count=1_000)
        for number in range(500):
            sink.write([f"{sys.argv[2]} {number:04}\\n".encode()])
    """
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(path), name]) for name in ("one", "two", "six")
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    lines = [line for file in tmp_path.glob("tallow.log*") for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{name} {n:04}" for name in ("one", "two", "six") for n in range(500))


def test_lines_for_a_folder_that_is_not_writable_are_counted_as_dropped(
    tmp_path: Path, metrics: Metrics
) -> None:
    (tmp_path / "file").touch()
    FileSink(tmp_path / "file" / "tallow.log", metrics=metrics).write([b"one\n", b"two\n"])
    assert failed(metrics) == 2


def test_after_a_full_disk_later_lines_start_on_a_new_line(tmp_path: Path) -> None:
    """RLIMIT_FSIZE acts like a full disk for one process: one write is partial, the next one fails."""
    path = tmp_path / "tallow.log"
    script = """if True:
        import resource, signal, sys
        from pathlib import Path
        from tallow.monitoring.logging.sinks import FileSink
        from tallow.monitoring.metrics import METRICS
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sink = FileSink(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (25, -1))
        sink.write([b"line one..\\n", b"line two..\\n", b"line three\\n"])
        sink.write([b"line four.\\n"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
        sink.write([b"line five.\\n"])
        print(METRICS.registry.value("telemetry_dropped_total", pipeline="logs", reason="failed"))
    """
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert path.read_text().splitlines() == ["line one..", "line two..", "lin", "line five."]
    assert done.stdout == "4.0\n"


def test_a_file_that_cannot_be_opened_is_reported_once(
    tmp_path: Path, metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "logs"
    blocked.write_text("a file where the folder should be")
    sink = FileSink(blocked / "tallow.log", metrics=metrics)
    for _ in range(3):
        sink.write([b"lost\n"])
    [reported] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert reported["level"] == "fatal"
    assert reported["message"] == (
        f"the log file {blocked}/tallow.log cannot be opened (File exists); log lines are lost"
    )
    assert failed(metrics) == 3
    blocked.unlink()
    sink.write([b"kept\n"])
    blocked.rename(tmp_path / "moved")
    blocked.write_text("again")
    sink.write([b"lost\n"])
    assert json.loads(capsys.readouterr().err)["level"] == "fatal"
    assert (tmp_path / "moved" / "tallow.log").read_text() == "kept\n"


def test_lines_for_a_broken_pipe_are_counted_as_dropped(metrics: Metrics) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    StreamSink(stream, metrics=metrics).write([b"one\n"])
    assert failed(metrics) == 1
    stream.close()  # nothing is left in its buffer


def test_lines_for_a_closed_stream_are_counted_as_dropped(metrics: Metrics) -> None:
    stream = io.StringIO()
    stream.close()
    StreamSink(stream, metrics=metrics).write([b"one\n"])
    assert failed(metrics) == 1


def test_a_stream_gets_bytes_if_it_has_a_buffer_and_text_otherwise() -> None:
    binary = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    text = io.StringIO()
    for stream in (binary, text):
        StreamSink(stream).write(["grüß\n".encode()])
    assert binary.buffer.getvalue() == "grüß\n".encode()
    assert text.getvalue() == "grüß\n"


LINE = (
    b'{"timestamp":"2026-01-02T03:04:05.678Z","level":"warning","logger":"transfer","message":"Slow '
    b'\\u001b[31m","service":"tallow","environment":"test",'
    b'"version":"1","size":12,"note":"two words","gone":null,'
    b'"error":{"type":"KeyError","message":"x","stack":"  a.py:1 in f\\n  b.py:2 in g"}}\n'
)


def test_the_readable_form_shows_context_and_stack_and_escapes_control_characters() -> None:
    text = ConsoleRenderer(colour=False)(LINE)
    assert text.splitlines() == [
        '03:04:05.678 WARNING transfer  Slow \\x1b[31m  size=12 note="two words" gone=null',
        "KeyError: x",
        "  a.py:1 in f",
        "  b.py:2 in g",
    ]
    assert "\x1b" not in text


def test_colours_add_nothing_but_escape_sequences() -> None:
    import re

    painted = ConsoleRenderer(colour=True)(LINE)
    assert "\x1b[33mWARNING\x1b[0m" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == ConsoleRenderer(colour=False)(LINE)
