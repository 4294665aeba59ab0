"""A reader that reads slowly, has stopped, or has gone. Pipes are real, and nothing waits for them."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import pty
import re
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import pytest

from tallow.app.peer.display import background_writer
from tallow.app.peer.display.background_writer import BackgroundWriter, end_output
from tallow.app.peer.display.json_lines import JsonLines
from tallow.app.peer.display.terminal import Terminal

BLOCK = b"x" * 99_999 + b"\n"
"""More than a pipe holds."""
SOON_S = 0.05
LATE_S = 60.0


@dataclass
class Pipe:
    """A pipe: a program writes to ``stream``."""

    reader: int
    stream: BinaryIO

    def read(self, size: int = 1 << 20) -> bytes:
        return os.read(self.reader, size)

    def read_all(self) -> bytes:
        """Everything until the writer closes it."""
        return b"".join(iter(self.read, b""))


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reader, writer = os.pipe()
    with open(writer, "wb") as stream:  # noqa: PTH123 - a descriptor
        yield Pipe(reader, stream)
        with suppress(OSError):  # a test may have closed it
            os.close(reader)


def written(output: BackgroundWriter, pipe: Pipe) -> bytes:
    """Read until everything is written, and what was read."""
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_all()))
    reader.start()
    assert output.flush(LATE_S)
    pipe.stream.close()
    reader.join()
    return read[0]


def test_a_pipe_that_nobody_reads_does_not_hold_up_its_writer(pipe: Pipe) -> None:
    flags = fcntl.fcntl(pipe.stream, fcntl.F_GETFL)
    output = BackgroundWriter(pipe.stream, limit=250_000)
    for number in range(3):
        output.write(b"%d" % number + BLOCK)
    assert output.is_full
    assert not output.flush(SOON_S)
    assert not output.flush(limit=SOON_S)
    assert output.problem == "is not read; lines lost at its end: 3"
    assert fcntl.fcntl(pipe.stream, fcntl.F_GETFL) == flags  # other programs share them
    assert written(output, pipe) == b"".join(b"%d" % number + BLOCK for number in range(3))
    assert (output.problem, output.is_full, output.failed) == ("", False, False)


def test_a_pipe_without_a_reader_is_no_problem(pipe: Pipe) -> None:
    output = BackgroundWriter(pipe.stream)
    os.close(pipe.reader)
    output.write(BLOCK)
    assert not output.flush()
    assert (output.problem, output.failed) == ("", False)


@pytest.mark.parametrize("path", ["/dev/full", None], ids=["a full disk", "a closed stream"])
def test_what_cannot_be_written_is_a_failure(path: str | None, pipe: Pipe) -> None:
    expected = os.strerror(errno.ENOSPC if path else errno.EBADF)
    with open(path, "wb") if path else nullcontext() as stream:  # noqa: PTH123 - as standard output is
        output = BackgroundWriter(stream)
        output.write(BLOCK)
        assert end_output(output, BackgroundWriter(pipe.stream))
    assert pipe.read().decode() == f"tallow: standard output cannot be written: {expected}\n"


def test_a_stream_without_a_descriptor_is_written_as_text() -> None:
    stream = io.StringIO()
    output = BackgroundWriter(stream)
    output.write("größer\n".encode())
    assert output.flush(LATE_S)
    assert stream.getvalue() == "größer\n"


def test_a_closed_stream_without_a_descriptor_is_a_failure() -> None:
    stream = io.StringIO()
    stream.close()
    output = BackgroundWriter(stream)
    output.write(BLOCK)
    assert not output.flush(LATE_S)
    assert output.failed
    assert output.problem == "cannot be written: I/O operation on closed file"


def test_a_descriptor_that_another_program_made_non_blocking_is_written(pipe: Pipe) -> None:
    os.set_blocking(pipe.stream.fileno(), False)
    output = BackgroundWriter(pipe.stream)
    output.write(BLOCK)
    assert written(output, pipe) == BLOCK


def test_at_the_end_a_stopped_reader_is_waited_for_and_named(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_writer, "PATIENCE_S", SOON_S)
    output = BackgroundWriter(pipe.stream)
    output.write(BLOCK)
    reader, writer = os.pipe()
    with open(writer, "wb") as stream, open(reader, "rb") as shown:  # noqa: PTH123 - descriptors
        assert not end_output(output, BackgroundWriter(stream))
        assert shown.readline() == b"tallow: standard output is not read; lines lost at its end: 1\n"
        # Nobody reads standard error, either.
        assert not end_output(output, output)
    os.close(pipe.reader)
    assert not output.flush()  # its thread no longer uses the descriptor


def test_progress_and_files_are_dropped_and_counted_but_never_the_end(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", pipe.stream)
    show = JsonLines(limit=100_000)
    show("link", link="a")
    sent = 10_000
    for number in range(sent):
        show("file", name=f"{number}" + "x" * 50)
    show("warning", message="b")
    show("finished", outcome="success")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_all()))
    reader.start()
    assert not show.end(LATE_S)
    pipe.stream.close()
    reader.join()
    events: list[dict[str, Any]] = [json.loads(line) for line in read[0].splitlines()]
    names = [event["event"] for event in events]
    assert names[0] == "link"
    assert names[-3:] == ["dropped", "warning", "finished"]
    missing = sum(event["events"] for event in events if event["event"] == "dropped")
    assert 0 < missing < sent
    assert missing + names.count("file") == sent
    assert len(read[0]) < 300_000  # the limit, what the pipe holds, and the last lines


def test_a_stopped_terminal_misses_lines_and_shows_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, descriptor = pty.openpty()
    termios.tcflow(descriptor, termios.TCOOFF)  # as Ctrl-S does
    with open(descriptor, "w") as stream:  # noqa: PTH123 - a descriptor
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        show = Terminal(limit=1_000)
        show("link", link="https://tallow.example/#x")
        show("progress", name="a", bytes=1, total=2, bytes_per_second=1, remaining_seconds=1)
        for number in range(50):
            show("file", name="a", path=f"{number}" + "x" * 50)
        show("finished", outcome="success", files=50, bytes=2, seconds=1.0)
        termios.tcflow(descriptor, termios.TCOON)
        shown: list[bytes] = []
        reader = threading.Thread(target=lambda: shown.extend(lines_of(terminal)))
        reader.start()
        assert not show.end(LATE_S)
    reader.join()
    os.close(terminal)
    text = b"".join(shown).decode()
    assert "https://tallow.example/#x" in text
    missing = re.search(r"Lines not shown, .*: (\d+)", text)
    assert missing
    assert int(missing[1]) > 0
    assert "Done: 50 files" in text


def lines_of(terminal: int) -> Iterator[bytes]:
    """What a terminal shows until its program has closed it."""
    with suppress(OSError):
        while shown := os.read(terminal, 4096):
            yield shown
